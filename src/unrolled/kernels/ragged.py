"""Rows of unequal length: which are active when, where each begins and ends, there and back."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.kernels import naive, native
from unrolled.kernels.calls import GatherCall, StretchesCall
from unrolled.kernels.naive import Stretches


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

    def last(self, states: Tensor) -> Tensor:
        """Return each row's last of the states ``[batch_size + total, n]``."""
        return states.index_select(0, self._neighbours[1])

    def before(self, states: Tensor) -> Tensor:
        """Return for each row of each step the state before it."""
        return gather(states, self._neighbours[0])

    @cached_property
    def _neighbours(self) -> tuple[Tensor, Tensor]:
        if native.available() is None:
            return naive.neighbours(self.counts)
        before = torch.empty(self.total, dtype=torch.int64)
        last = torch.empty(self.batch_size, dtype=torch.int64)
        native.neighbours(self.counts, before, last)
        return before, last


def stretches(lengths: Tensor, reset: Tensor) -> Stretches:
    """Do what ``naive.stretches`` does, in one pass.

    Shapes: lengths [B]; reset [B, T], bool.
    Args:
        lengths: from 0 to T.
        reset: where a row begins anew.
    """
    if native.available() is None:
        return naive.stretches(lengths, reset)
    batch, steps = reset.shape
    room = batch * steps
    lengths, reset = lengths.to(torch.int64).contiguous(), reset.contiguous()
    row, places, inverse = torch.empty(3, room, dtype=torch.int64)
    counts, home = torch.empty(steps, dtype=torch.int64), torch.empty(batch, dtype=torch.int64)
    begins_anew = torch.empty(room, dtype=torch.bool)
    given = (lengths, reset, counts, row, begins_anew, home, places, inverse)
    call = StretchesCall(*(tensor.data_ptr() for tensor in given), batch, steps, room, 0, 0)
    found = native.stretches(call)
    active = tuple(count for count in counts.tolist() if count)
    places = places[: sum(active)]
    outcome = row[:found], begins_anew[:found], home, places, inverse
    return Stretches(active, *outcome, call.anew, call.without)


def gather(x: Tensor, index: Tensor) -> Tensor:
    """Do what ``naive.gather`` does, each row as bytes.

    Shapes: x [N, ...]; index [M], from -1 to N - 1; returns [M, ...].
    Args:
        x: of any dtype; where it is no plain tensor on a CPU, torch gathers.
        index: int64.
    """
    is_plain = x.is_cpu and type(x) is Tensor and not torch.compiler.is_compiling()
    if not is_plain or native.available() is None:
        return naive.gather(x, index)
    x, index = x.contiguous(), index.contiguous()
    out = x.new_empty(len(index), *x.shape[1:])
    width = x.element_size() * (out.numel() // max(len(index), 1))
    native.gather(
        GatherCall(
            x.data_ptr(),
            index.data_ptr(),
            out.data_ptr(),
            len(index),
            width,
            torch.get_num_threads(),
        )
    )
    return out


def take(x: Tensor, index: Tensor, inverse: Tensor) -> Tensor:
    """Return rows of ``x [N, ...]``, none of them twice, and zeros where the index is -1.

    Args:
        x: the rows.
        index: ``[M]``, which of them.
        inverse: ``[N]``, where each of them went, or -1.
    """
    taken: Tensor = _Take.apply(x, index, inverse)  # type: ignore[no-untyped-call]
    return taken


class _Take(torch.autograd.Function):
    """Its gradient is a copy: torch's own would add up, since it cannot know that none is twice."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor, inverse: Tensor) -> Tensor:
        ctx.save_for_backward(index, inverse)
        return gather(x, index)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        index, inverse = ctx.saved_tensors
        return take(gradient, inverse, index), None, None
