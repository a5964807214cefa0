"""Sequences turned round, each within its own length, for the direction that reads from the end."""

from typing import Any

import torch
from torch import Tensor

from unrolled.kernels.ragged import Rows


class Turn:
    """The rows of all steps, turned round within each sequence; twice is not at all.

    Args:
        rows: which sequences are active when.
    Example:
        >>> turn = Turn(Rows((2, 2, 1)))            # a a a and b b
        >>> turn(torch.tensor([[1], [10], [2], [20], [3]])).flatten().tolist()
        [3, 20, 2, 10, 1]
    """

    def __init__(self, rows: Rows) -> None:
        self.batch_size = rows.batch_size
        self.index = None if rows.is_even else _mirrored(rows)

    def __call__(self, data: Tensor) -> Tensor:
        """Turn ``[rows.total, n]`` round."""
        if self.index is None:
            turned: Tensor = data.unflatten(0, (-1, self.batch_size)).flip(0).flatten(0, 1)
        else:
            turned = _Reorder.apply(data, self.index)  # type: ignore[no-untyped-call]
        return turned


def _mirrored(rows: Rows) -> Tensor:
    """Return for each row where its sequence has the row that is as far from the other end."""
    counts = torch.tensor(rows.counts)
    offsets = counts.cumsum(0) - counts
    step = torch.arange(len(counts)).repeat_interleave(counts)
    sequence = torch.arange(rows.total) - offsets[step]
    lengths = sequence.bincount()
    return offsets[lengths[sequence] - 1 - step] + sequence


class _Reorder(torch.autograd.Function):
    """Rows in the order of an index that is its own inverse.

    ``index_select`` would add its gradient up row by row, as if a row could come twice.
    """

    @staticmethod
    def forward(ctx: Any, data: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        return data.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        return gradient.index_select(0, index), None
