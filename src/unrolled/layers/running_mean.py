"""The mean of what has been seen so far."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from unrolled.recurrence import Recurrence
from unrolled.state import as_rows, state_dtype


class RunningMeanState(NamedTuple):
    """The sum of the steps so far, and how many they were."""

    total: Float[Tensor, "B *C"]  # at least float32
    step: Int64[Tensor, " B"]  # steps made so far


class RunningMean(Recurrence[RunningMeanState]):
    """Give the mean of the steps so far; its last output is the mean of the sequence.

        total' = total + x           step' = step + 1
        y = total' / step'

    With ``Last`` it is the many-to-one readout that averages, for ragged rows too. A float32 sum
    holds about 2^24 steps of like size; use float64 beyond that.

    Shapes: x [B, T, ...] float; state RunningMeanState(total [B, ...], step [B]); y as x.
    Source: none; average pooling over time, as far as time has come.
    Example:
        >>> y, state = RunningMean()(torch.tensor([[1.0, 3.0, 5.0]]))
        >>> y, state.step
        (tensor([[1., 2., 3.]]), tensor([3]))
    """

    def state_like(self, x_t: Float[Tensor, "B *C"]) -> RunningMeanState:
        """Return a sum of nothing."""
        total = torch.zeros_like(x_t, dtype=state_dtype(x_t.dtype))
        return RunningMeanState(total, total.new_zeros(len(x_t), dtype=torch.int64))

    def scan(
        self, x: Float[Tensor, "B T *C"], state: RunningMeanState
    ) -> tuple[Float[Tensor, "B T *C"], RunningMeanState]:
        """Sum up a chunk behind what came before it."""
        total = torch.cat([state.total[:, None], x.to(state.total.dtype)], dim=1).cumsum(1)[:, 1:]
        step = state.step[:, None] + torch.arange(1, x.shape[1] + 1, device=x.device)  # [B, T]
        y = (total / as_rows(step, total)).to(x.dtype)
        return y, RunningMeanState(total[:, -1], step[:, -1])
