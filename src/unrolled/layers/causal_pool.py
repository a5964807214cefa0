"""Pooling over the last frames."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence
from unrolled.state import as_rows, state_dtype


class CausalPoolState(NamedTuple):
    """The last frames, oldest first, and how many were ever seen."""

    frames: Float[Tensor, "B P *C"]  # P = window - 1; at least float32
    step: Int64[Tensor, " B"]


class _Window(Recurrence[CausalPoolState]):
    """The window that both kinds of pooling look through."""

    def __init__(self, window: int) -> None:
        super().__init__()
        if window < 1:
            raise ConfigError("a window of at least 1 frame", f"{window = }")
        self.window = window

    def state_like(self, x_t: Float[Tensor, "B *C"]) -> CausalPoolState:
        """Return frames that count as none."""
        shape = (len(x_t), self.window - 1, *x_t.shape[1:])
        frames = x_t.new_zeros(shape, dtype=state_dtype(x_t.dtype))
        return CausalPoolState(frames, frames.new_zeros(len(x_t), dtype=torch.int64))

    def _windows(
        self, x: Tensor, state: CausalPoolState, neutral: float
    ) -> tuple[Tensor, Tensor, CausalPoolState]:
        """Return windows ``[B, T, ..., window]``, how many of their frames were seen, the state.

        ``neutral`` stands for a frame that never was.
        """
        frames = torch.cat([state.frames, x.to(state.frames.dtype)], dim=1)
        ages = torch.arange(1 - self.window, x.shape[1], device=x.device)  # 0 is that of x_0
        seen = state.step[:, None] + ages >= 0  # [B, P + T]
        known = torch.where(as_rows(seen, frames), frames, neutral)
        step = state.step[:, None] + torch.arange(1, x.shape[1] + 1, device=x.device)
        recent = frames[:, frames.shape[1] - self.window + 1 :]
        count = as_rows(step.clamp(max=self.window), x)
        return known.unfold(1, self.window, 1), count, CausalPoolState(recent, step[:, -1])


class CausalMaxPool(_Window):
    """Give the largest value of the last ``window`` steps, as many as there were.

        y_t = max(x_(t - window + 1), ..., x_t)

    Shapes: x [B, T, ...] float; state CausalPoolState(frames [B, window - 1, ...], step [B]);
        y as x.
    Args:
        window: steps to look at, the present one among them.
    Raises:
        ConfigError: a window below 1.
    Source: none; torch.nn.MaxPool1d over x padded on the left.
    Example:
        >>> y, _ = CausalMaxPool(2)(torch.tensor([[3.0, 1.0, 2.0]]))
        >>> y
        tensor([[3., 3., 2.]])
    """

    def scan(
        self, x: Float[Tensor, "B T *C"], state: CausalPoolState
    ) -> tuple[Float[Tensor, "B T *C"], CausalPoolState]:
        """Pool a chunk behind the frames that came before it."""
        windows, _, state = self._windows(x, state, -torch.inf)
        return windows.amax(-1).to(x.dtype), state


class CausalMeanPool(_Window):
    """Give the mean of the last ``window`` steps, as many as there were.

        y_t = mean(x_(t - window + 1), ..., x_t)

    Shapes: x [B, T, ...] float; state CausalPoolState(frames [B, window - 1, ...], step [B]);
        y as x.
    Args:
        window: steps to look at, the present one among them.
    Raises:
        ConfigError: a window below 1.
    Source: none; average pooling over a window that ends at the present. ``RunningMean`` is the one
        without a window.
    Example:
        >>> y, _ = CausalMeanPool(2)(torch.tensor([[3.0, 1.0, 2.0]]))
        >>> y
        tensor([[3.0000, 2.0000, 1.5000]])
    """

    def scan(
        self, x: Float[Tensor, "B T *C"], state: CausalPoolState
    ) -> tuple[Float[Tensor, "B T *C"], CausalPoolState]:
        """Pool a chunk behind the frames that came before it."""
        windows, count, state = self._windows(x, state, 0.0)
        return (windows.sum(-1) / count).to(x.dtype), state
