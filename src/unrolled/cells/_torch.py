"""What our cells and torch's own share: weights of the same names and shapes, and kernels."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.fused import under_transform

CellT = TypeVar("CellT", bound=nn.Module)


def kernel_fits(x: Tensor, h: Tensor) -> bool:
    """Tell whether torch's kernel would compute in the state's dtype, as our ``step`` does.

    Under vmap and its kin it would not compute at all.
    """
    if not torch.compiler.is_compiling() and under_transform():
        return False
    if x.device.type == "meta":  # where sizes alone count, the loop shows its products
        return False
    return x.dtype == h.dtype and not torch.is_autocast_enabled(x.device.type)


def run_kernel(
    kernel: Callable[..., tuple[Tensor, Tensor]],
    x: Tensor,
    h: Tensor,
    weights: tuple[Tensor | None, ...],
) -> tuple[Tensor, Tensor]:
    """Run one layer of torch.rnn_tanh, torch.rnn_relu or torch.gru from ``h [B, D]``.

    ``weights`` are W_ih, W_hh, b_ih, b_hh; the last two may be None.
    """
    y, last_h = kernel(
        x,
        h.unsqueeze(0),
        [weight for weight in weights if weight is not None],
        has_biases=weights[-1] is not None,
        num_layers=1,
        dropout=0.0,
        train=torch.is_grad_enabled(),  # no dropout here: it only keeps what backward needs
        bidirectional=False,
        batch_first=True,
    )
    return y, last_h.squeeze(0)


def single_layer(layer: nn.Module, *kinds: type[nn.Module]) -> dict[str, Tensor]:
    """Return the weights of torch's layer, or of its cell class, under our names.

    Raises:
        ConfigError: another class, several layers, two directions, or a projection.
    """
    if not isinstance(layer, kinds):
        names = " or ".join(f"torch.nn.{kind.__name__}" for kind in kinds)
        raise ConfigError(f"a {names}", type(layer).__name__, "each cell takes its own kind")
    if getattr(layer, "num_layers", 1) != 1:
        cure = "make one cell a layer and put them in a Serial"
        raise ConfigError("a single layer", f"num_layers={layer.num_layers}", cure)
    if getattr(layer, "bidirectional", False):
        cure = "a recurrence goes forward only; train one that does"
        raise ConfigError("one direction", "bidirectional=True", cure)
    if getattr(layer, "proj_size", 0):
        cure = "a cell's h is its output as it is; train without proj_size"
        raise ConfigError("no projection of h", f"proj_size={layer.proj_size}", cure)
    return {name.removesuffix("_l0"): value for name, value in layer.state_dict().items()}


def sizes(weights: dict[str, Tensor]) -> tuple[int, int]:
    """Return the input size and the hidden size that ``weights`` are for."""
    return weights["weight_ih"].shape[1], weights["weight_hh"].shape[1]


def adopt(cell: CellT, weights: dict[str, Tensor]) -> CellT:
    """Copy ``weights`` into ``cell``, which takes their dtype and device."""
    cell.to(weights["weight_ih"])
    cell.load_state_dict(weights)
    return cell
