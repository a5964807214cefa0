"""The largest logits of every row, found natively: those of a matrix, or of a product with one."""

import torch
from torch import Tensor

from unrolled.kernels import native
from unrolled.kernels.calls import LikeliestCall


def serves(tensor: Tensor) -> bool:
    """Tell whether the native library takes such a tensor: float32 on a CPU."""
    return (
        tensor.dtype == torch.float32
        and tensor.device.type == "cpu"
        and type(tensor) in (Tensor, torch.nn.Parameter)
        and native.available() is not None
    )


def likeliest(logits: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """Do what ``naive.likeliest`` does, in one pass.

    Shapes: logits [R, V] float32, k at most V; returns [R, k], [R, k] and [R].
    Args:
        logits: of every row.
        k: how many of each row are wanted.
    """
    logits = logits.contiguous()
    return _search(logits, None, None, logits.shape[1], k)


class PackedHead:
    """A linear layer in panels: its logits are looked through while they are computed.

        logits = features @ weight^T + bias

    Shapes: weight [V, D]; bias [V].
    Args:
        weight: copied; of this moment.
        bias: or None.
    Example:
        >>> head = PackedHead(torch.eye(3) * 2, None)
        >>> values, columns, _ = head.likeliest(torch.tensor([[1.0, 3.0, 2.0]]), 2)
        >>> values, columns
        (tensor([[6., 4.]]), tensor([[1, 2]]))
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._size = weight.shape[0]
        self._packed = native.pack_matrix(weight.detach().T)
        self._bias = None if bias is None else bias.detach().clone()

    def likeliest(self, features: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
        """Do what ``naive.likeliest`` does for the logits of ``features [R, D]``, without them."""
        return _search(features.contiguous(), self._packed, self._bias, self._size, k)


def _search(
    a: Tensor, packed: Tensor | None, bias: Tensor | None, size: int, wanted: int
) -> tuple[Tensor, Tensor, Tensor]:
    rows = len(a)
    values = torch.empty(rows, wanted)
    columns = torch.empty(rows, wanted, dtype=torch.int64)
    log_sums = torch.empty(rows)
    places = (None if t is None else t.data_ptr() for t in (a, packed, bias, values, columns))
    sizes = (rows, a.shape[1], size, wanted, torch.get_num_threads())
    native.likeliest(LikeliestCall(*places, log_sums.data_ptr(), *sizes))
    return values, columns, log_sums
