"""Sequences turned round, each within its own length, for the direction that reads from the end."""

import torch
from torch import Tensor

from unrolled.kernels.ragged import Rows, take


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
            turned = take(data, self.index, self.index)  # its own inverse
        return turned


def _mirrored(rows: Rows) -> Tensor:
    """Return for each row where its sequence has the row that is as far from the other end."""
    counts = torch.tensor(rows.counts)
    offsets = counts.cumsum(0) - counts
    step = torch.arange(len(counts)).repeat_interleave(counts)
    sequence = torch.arange(rows.total) - offsets[step]
    lengths = sequence.bincount()
    return offsets[lengths[sequence] - 1 - step] + sequence
