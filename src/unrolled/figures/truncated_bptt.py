"""Truncated backpropagation through time: the state goes on, the gradient stops at the cut.

The bars are ``|d L_T / d h_(T-k)|`` of the loss of the last step, once with the sequence in one
piece and once through ``TruncatedBPTT`` in chunks of four. Within the last chunk the two agree to
the bit; past the cut the gradient is 0, not small.

Source: Williams & Peng 1990, BPTT(h; h').
"""

import itertools
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from unrolled.cells import RNN, RNNState
from unrolled.figures._learning import seeded
from unrolled.figures.drawing import (
    BLUE,
    DASHED,
    GREY,
    INK,
    LOSS,
    PALE,
    SMALL,
    STATE,
    Box,
    arrow,
    board,
    box,
    node,
    slide,
)
from unrolled.recurrence import Recurrence
from unrolled.training.truncated_bptt import Chunk, TruncatedBPTT

STEPS, CHUNK = 12, 4


class _Watched(Recurrence[RNNState]):
    """A plain network that keeps every state it went through, so that gradients can be read."""

    def __init__(self, cell: RNN) -> None:
        super().__init__()
        self.cell = cell
        self.states: list[Tensor] = []

    def initial_state(self, batch_size: int) -> RNNState:
        return self.cell.initial_state(batch_size)

    def step(self, x_t: Tensor, state: RNNState) -> tuple[Tensor, RNNState]:
        y_t, state = self.cell.step(x_t, state)
        self.states.append(state.h)
        return y_t, state


def draw() -> Figure:
    """Draw both forms of the backward pass, and what reaches each state."""
    figure = slide("Truncated backpropagation: the state is carried, the gradient is cut")
    axes = board(figure, width=16.0, height=4.5, place=(0.02, 0.41, 0.96, 0.5))
    _draw_chain(axes, 3.4, "whole", STEPS)
    _draw_chain(axes, 1.05, f"chunks\nof {CHUNK}", CHUNK)
    key = "black: the state goes forward      dashed red: the gradient comes back"
    axes.text(1.6, 4.3, key, fontsize=13, color=GREY)
    whole, chunked = gradient_norms(STEPS), gradient_norms(CHUNK)
    left = figure.add_axes((0.08, 0.105, 0.4, 0.25))
    right = figure.add_axes((0.56, 0.105, 0.4, 0.25))
    _draw_bars(left, whole, "whole", floor=min(whole) / 3)
    _draw_bars(right, chunked, f"chunks of {CHUNK}", floor=min(whole) / 3)
    left.set_ylabel(r"$|\partial L_T / \partial h_{T-k}|$")
    return figure


def gradient_norms(chunk_size: int) -> list[float]:
    """Return the norm of d L_T / d h_(T-k) for k = 0 ... T-1, trained in chunks of this size."""
    with seeded(1):
        model = _Watched(RNN(3, 5, recurrent_init="orthogonal").double())
        x = torch.randn(1, STEPS, 3, dtype=torch.float64)
        target = torch.randn(1, STEPS, 5, dtype=torch.float64)
    bptt, loss = TruncatedBPTT(), torch.zeros(())
    for number, start in enumerate(range(0, STEPS, chunk_size)):
        window = slice(start, start + chunk_size)
        chunk = Chunk(x[:, window], target[:, window], number)
        _, loss, after = bptt.forward(model, chunk, _loss_of_the_last_step)
        bptt.keep(chunk, after)
    found = torch.autograd.grad(loss, model.states, allow_unused=True, materialize_grads=True)
    return [float(gradient.norm()) for gradient in reversed(found)]


def _loss_of_the_last_step(y: Any, target: Tensor) -> Tensor:
    difference: Tensor = y[:, -1] - target[:, -1]
    return difference.square().sum() / 2


def _draw_chain(axes: Axes, height: float, name: str, chunk_size: int) -> None:
    """Draw the states with the forward pass above and, within a chunk, the backward pass below."""
    axes.text(0.0, height, name, va="center", fontsize=15, fontweight="bold")
    places = [2.1 + 1.12 * t for t in range(STEPS)]
    for start in range(0, STEPS, chunk_size):
        left, right = places[start] - 0.5, places[start + chunk_size - 1] + 0.5
        axes.fill_between([left, right], height - 0.75, height + 0.75, color=PALE, linewidth=0)
        if start + chunk_size < STEPS:
            axes.text(right - 0.05, height - 0.68, "a loss of its own", ha="right", fontsize=SMALL)
    states = [
        node(axes, (place, height), f"$h_{{{t}}}$", colour=STATE, radius=0.32, fontsize=13)
        for t, place in enumerate(places, start=1)
    ]
    for t, (before, after) in enumerate(itertools.pairwise(states), start=1):
        _draw_link(axes, before, after, is_cut=t % chunk_size == 0)
    loss = box(axes, (places[-1] + 1.15, height), r"$L_T$", colour=LOSS, width=0.8, height=0.75)
    arrow(axes, states[-1].right, loss.left)
    axes.text(places[-1] + 1.15, height + 0.6, "loss", ha="center", fontsize=12, color=LOSS)


def _draw_link(axes: Axes, before: Box, after: Box, *, is_cut: bool) -> None:
    up, down = 0.17, -0.17
    arrow(axes, (before.x + 0.3, before.y + up), (after.x - 0.3, after.y + up))
    if is_cut:
        middle = (before.x + after.x) / 2
        axes.plot(middle, before.y + down, marker="x", markersize=9, color=LOSS, mew=2.6)
    else:
        start, end = (after.x - 0.3, after.y + down), (before.x + 0.3, before.y + down)
        arrow(axes, start, end, colour=LOSS, linestyle=DASHED)


def _draw_bars(axes: Axes, norms: list[float], name: str, *, floor: float) -> None:
    lags = range(len(norms))
    axes.bar(lags, [max(norm - floor, 0) for norm in norms], bottom=floor, color=BLUE, width=0.7)
    axes.set(yscale="log", ylim=(floor, 3), xticks=lags, xlabel="lag k", title=name)
    zeros = [lag for lag in lags if norms[lag] == 0]
    for lag in zeros:
        axes.text(lag, floor * 1.15, "0", ha="center", va="bottom", color=LOSS, fontweight="bold")
    if zeros:
        axes.axvline(zeros[0] - 0.5, color=GREY, linestyle=":", linewidth=1.6)
        middle = (zeros[0] + zeros[-1]) / 2
        axes.text(middle, 0.6, "exactly 0 past the cut", ha="center", fontsize=13, color=INK)
