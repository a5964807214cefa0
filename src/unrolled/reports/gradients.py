"""How far back a trained network learns: gradients by lag, and what they say."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from markupsafe import Markup
from torch import Tensor

from unrolled.diagnostics import gradient_gains, loss_gradient_norms
from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence
from unrolled.reports.curves import Line, draw_curves
from unrolled.state import Tree, first_step, select_rows

_VANISHES, _EXPLODES = 0.01, 10.0  # of the gradient at lag 0
_FIRST = torch.zeros(1, dtype=torch.int64)


@dataclass(frozen=True)
class GradientReport:
    """What a page shows of it.

    Args:
        lags: steps back.
        gains: what is left of a random gradient of the state.
        losses: norms of the gradient of the last step's loss, the first above 0 taken as 1.
        curve: both, drawn; None where matplotlib is not installed.
        meaning: one sentence.
    """

    lags: list[int]
    gains: list[float]
    losses: list[float]
    curve: Markup | None
    meaning: str

    @property
    def rows(self) -> list[tuple[int, float, float]]:
        """The figures at lags 0, 1, 2, 4, 8 ... and at the last one."""
        chosen = {0, self.lags[-1], *(2**k for k in range(self.lags[-1].bit_length()))}
        return [(lag, self.gains[lag], self.losses[lag]) for lag in sorted(chosen)]


def probe_gradients(
    network: Recurrence[Any, Any, Any, Any],
    x: Tree,
    loss_of: Callable[[Any], Tensor],
    state: Tree | None = None,
) -> GradientReport | None:
    """Follow gradients back from the last step of x; None where there is nothing to follow.

    Shapes: x [B, T, ...]; state for B rows.
    Args:
        network: in eval().
        x: the input.
        loss_of: gives a scalar, the loss of the last step, from y.
        state: before x; None for the initial state.
    """
    state = network.state_like(first_step(x, network.stride)) if state is None else state
    try:
        losses = loss_gradient_norms(network, x, loss_of, state)
        # Of one row: a gain follows a trajectory, and directions take the place of rows.
        gains = gradient_gains(network, select_rows(x, _FIRST), select_rows(state, _FIRST))
    except ConfigError:  # a table of counts, for instance, has no state to differentiate by
        return None
    if not (losses.isfinite().all() and gains.isfinite().all() and losses.any()):
        return None
    # A window of past steps, as attention keeps, matters only to the steps after it: 0 at lag 0.
    shares = (losses / losses[losses > 0][0]).tolist()
    lags = list(range(len(shares)))
    lines = [
        Line("of the loss", lags, shares),
        Line("of the state, random direction", lags, gains.tolist()),
    ]
    curve = draw_curves(lines, x_label="steps back", y_label="gradient, of lag 0", scale="log")
    return GradientReport(lags, gains.tolist(), shares, curve, meaning_of(shares))


def meaning_of(shares: list[float]) -> str:
    """Say what the gradient of the loss does on its way back.

    Args:
        shares: its norm by lag, that at lag 0 being 1.
    Example:
        >>> meaning_of([1.0, 0.5, 0.009, 0.02, 0.001]).split(";")[0]
        'The gradient vanishes: 4 steps back less than a hundredth of it is left'
    """
    last, largest = len(shares) - 1, max(shares)
    if largest > _EXPLODES:
        return (
            f"The gradient explodes: {shares.index(largest)} steps back it is {largest:.3g} times "
            "as large, and only clipping keeps the updates small."
        )
    if shares[-1] >= _VANISHES:
        return (
            f"The gradient lives on: {last} steps back, {shares[-1]:.0%} of it is left, and "
            "the network still learns from there."
        )
    reach = max((lag for lag, share in enumerate(shares) if share >= _VANISHES), default=0) + 1
    return (
        f"The gradient vanishes: {reach} steps back less than a hundredth of it is left; what "
        "lies further back hardly teaches the network anything."
    )
