"""Rows of unequal length: which are active when, where each begins and ends, there and back."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """Which rows are active at which step; longest sequences first, none of length 0.

    Args:
        counts: active rows by step, never growing, none of them 0.
    """

    counts: tuple[int, ...]

    @property
    def batch_size(self) -> int:
        """Sequences."""
        return self.counts[0]

    @cached_property
    def total(self) -> int:
        """Rows of all steps together."""
        return sum(self.counts)

    @property
    def is_even(self) -> bool:
        """Tell whether all sequences are equally long."""
        return self.counts[-1] == self.counts[0]

    def spread(self, rows: Tensor) -> Tensor:
        """Return for each row of each step the one of ``[batch_size, ...]`` that it is of."""
        if self.is_even:
            return rows.expand(len(self.counts), *rows.shape).flatten(0, 1)
        index = np.concatenate([np.arange(count) for count in self.counts])
        return rows.index_select(0, torch.from_numpy(index))

    def last(self) -> Tensor:
        """Return by row where its last state is in ``[batch_size + total]`` rows of states."""
        counts, rows = np.array(self.counts), np.arange(self.batch_size)
        begins = self.batch_size + np.cumsum(counts) - counts
        steps = np.searchsorted(-counts, -rows)  # steps that have this row
        return torch.from_numpy(begins[steps - 1] + rows)

    def before(self) -> Tensor:
        """Return for each row of each step where the state before it is."""
        counts = np.array(self.counts)
        shift = np.append(0, self.batch_size - counts[:-1])
        return torch.from_numpy(np.arange(counts.sum()) + np.repeat(shift, counts))


class Stretches(NamedTuple):
    """What happens in ragged rows: every stretch between resets is a row of its own.

    Args:
        rows: which are active when.
        row: by stretch, longest first, the row that it is of.
        begins_anew: by stretch, whether the row was reset there.
        is_last: by stretch, whether the row ends with it.
        places: for each row of each step where it is in ``[B T]``.
    """

    rows: Rows
    row: Tensor
    begins_anew: Tensor
    is_last: Tensor
    places: Tensor

    @classmethod
    def of(cls, lengths: Tensor, reset: Tensor) -> "Stretches | None":
        """Find the stretches of rows ``lengths [B]`` long, ``reset [B, T]``; None if all are empty.

        Small arrays of whole numbers are numpy's: there they take a third of the time.
        """
        resets, ends = reset.numpy(), lengths.numpy()
        num_steps = resets.shape[1]
        time = np.arange(num_steps)
        row, start = ((resets | (time == 0)) & (time < ends[:, None])).nonzero()
        if not len(row):
            return None
        is_last = np.append(row[1:] != row[:-1], True)
        length = np.where(is_last, ends[row], np.append(start[1:], 0)) - start
        order = np.argsort(-length, kind="stable")
        row, start, length, is_last = row[order], start[order], length[order], is_last[order]
        counts = np.searchsorted(-length, -np.arange(length[0]))  # stretches longer than t
        begins = np.cumsum(counts) - counts
        sequence = np.arange(counts.sum()) - np.repeat(begins, counts)
        places = (row * num_steps + start)[sequence] + np.repeat(np.arange(len(counts)), counts)
        return cls(
            Rows(tuple(counts.tolist())),
            *map(torch.from_numpy, (row, resets[row, start], is_last, places)),
        )


def take(x: Tensor, index: Tensor) -> Tensor:
    """Return rows of ``x [N, ...]``, none of them twice."""
    taken: Tensor = _Take.apply(x, index)  # type: ignore[no-untyped-call]
    return taken


def spread(y: Tensor, index: Tensor, size: int) -> Tensor:
    """Return ``[size, ...]`` with the rows of y at their places, and 0 elsewhere."""
    return y.new_zeros(size, *y.shape[1:]).index_copy_(0, index, y)


class _Take(torch.autograd.Function):
    """Its gradient is a copy: torch's own would add up, since it cannot know that none is twice."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        ctx.size = len(x)
        return x.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        return spread(gradient, index, ctx.size), None
