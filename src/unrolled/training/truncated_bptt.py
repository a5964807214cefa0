"""Truncated backpropagation through time: the state is carried, the graph is cut."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from unrolled.recurrence import Recurrence
from unrolled.state import detach, first_step, leaves, map_leaves, to


@dataclass(frozen=True)
class Chunk:
    """A window of B streams, and what should come out.

    Args:
        x: the input ``[B, T, ...]``.
        target: what the loss compares y with, ``[B, ...]``.
        number: its place in the epoch; the windows numbered 0 have no state to carry.
        fresh: whether sequences begin here, so that there is no state to carry either.
    """

    x: Any
    target: Tensor
    number: int
    fresh: bool = False

    def on(self, device: torch.device) -> "Chunk":
        """Return the chunk with its tensors on a device."""
        return replace(self, x=to(self.x, device=device), target=self.target.to(device))


class TruncatedBPTT:
    """Carries states from window to window, and says where a gradient ends.

        y = model(x of the last `windows_back` windows, detach(the state before them))
        loss = loss_of(the newest window of y, target)

    With one window back this is the usual form, k1 = k2. With more, the windows before the newest
    are run again, from a state that was computed with the weights of then.

    Args:
        windows_back: k2 / k1.
        carry: whether a window goes on from the last one's state.
    Source: Williams & Peng 1990, BPTT(h; h').
    """

    def __init__(self, windows_back: int = 1, *, carry: bool = True) -> None:
        self.windows_back = windows_back
        self.carry = carry
        self.chunks: list[Chunk] = []  # that will be run again
        self.states: list[Any] = []  # before each of them, and after the last

    def forward(
        self,
        model: Recurrence[Any, Any, Any, Any],
        chunk: Chunk,
        loss_of: Callable[[Any, Tensor], Tensor],
    ) -> tuple[Any, Tensor, Any]:
        """Return y of this window, its loss, and the state after it, to be given to ``keep``."""
        if chunk.number == 0 or chunk.fresh or not self.carry or not self.states:
            self.chunks, self.states = [], [model.state_like(first_step(chunk.x, model.stride))]
        windows = [past.x for past in (*self.chunks, chunk)]
        y, after = model(map_leaves(lambda *parts: torch.cat(parts, 1), *windows), self.states[0])
        num_new = leaves(chunk.x)[0].shape[1] // model.stride
        y = map_leaves(lambda leaf: leaf[:, leaf.shape[1] - num_new :], y)
        return y, loss_of(y, chunk.target), after

    def keep(self, chunk: Chunk, after: Any) -> None:
        """Carry on from a window, the graph of what is carried cut off."""
        again = self.windows_back - 1
        self.chunks = [*self.chunks, chunk][-again:] if again else []
        states = [*self.states, after][-len(self.chunks) - 1 :]
        self.states = [detach(state) for state in states]
