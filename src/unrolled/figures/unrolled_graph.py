"""The graph of ``h_t = f_W(h_(t-1), x_t)`` over four steps: one W, and its gradient as a sum.

The norm beside every step is that of the gradient of L by the copy of W that this step used. The
four gradients, added, are what backpropagation gives for the one W.

Source: Goodfellow, Bengio & Courville 2016, "Deep Learning", §10.1-10.2.
"""

from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.func import functional_call

from unrolled.cells import RNN
from unrolled.figures._learning import seeded
from unrolled.figures.drawing import (
    INPUT,
    LOSS,
    STATE,
    WEIGHT,
    Box,
    arrow,
    board,
    box,
    route,
    slide,
)

_STEPS = 4
_FIRST, _PITCH = 2.75, 3.1  # of f, along the row
_ROW, _SUM = 4.6, 7.75  # heights of the states, and of the line that adds the losses


class Gradients(NamedTuple):
    """The gradient of L by W: step by step, and whole."""

    by_step: list[Tensor]
    shared: Tensor


def draw() -> Figure:
    """Draw the graph, with the norms that were computed."""
    figure = slide(r"One function, one $W$, unrolled: $h_t = f_W(h_{t-1},\ x_t)$")
    axes = board(figure, width=16.4, height=8.2, place=(0.02, 0.01, 0.96, 0.9))
    found = gradients()
    weight = box(
        axes, (7.9, 0.95), "$W$, the same at every step", colour=WEIGHT, width=12.4, height=0.9
    )
    total = box(axes, (15.55, 6.5), r"$L$", colour=LOSS, width=0.9, height=0.8)
    route(axes, [(_FIRST + 1.6, _SUM), (total.x, _SUM), total.top], colour=LOSS)
    h = box(axes, (0.8, _ROW), r"$h_0$", colour=STATE)
    for t, gradient in enumerate(found.by_step, start=1):
        h = _draw_step(axes, t, h, weight, float(gradient.norm()))
    difference = float((sum(found.by_step) - found.shared).abs().max())
    figure.text(
        0.5,
        0.045,
        r"$\partial L/\partial W = \partial L/\partial W_1 + \cdots + \partial L/\partial W_4$, "
        "of norm "
        f"{float(found.shared.norm()):.3f}; backpropagation through the one $W$ differs by "
        f"{difference:.0e} at most",
        ha="center",
        fontsize=13,
        color=LOSS,
    )
    return figure


def gradients() -> Gradients:
    """Backpropagate through four steps, once with a copy of W for each, once with one W."""
    with seeded(0):
        cell = RNN(3, 5).double()
        x = torch.randn(1, _STEPS, 3, dtype=torch.float64)
        target = torch.randn(1, _STEPS, 5, dtype=torch.float64)
    weights: dict[str, Tensor] = dict(cell.named_parameters())
    copies = [
        {name: weight.detach().clone().requires_grad_() for name, weight in weights.items()}
        for _ in range(_STEPS)
    ]
    separate = [copy[name] for copy in copies for name in weights]
    found = torch.autograd.grad(_loss(cell, copies, x, target), separate)
    flat = [gradient.flatten() for gradient in found]
    by_step = [
        torch.cat(flat[start : start + len(weights)]) for start in range(0, len(flat), len(weights))
    ]
    shared = torch.autograd.grad(_loss(cell, [weights] * _STEPS, x, target), list(weights.values()))
    return Gradients(by_step, torch.cat([gradient.flatten() for gradient in shared]))


def _loss(cell: RNN, weights: list[dict[str, Tensor]], x: Tensor, target: Tensor) -> Tensor:
    """Add up the losses of the steps, step t with ``weights[t]``."""
    state, loss = cell.initial_state(1), torch.zeros((), dtype=x.dtype)
    for t, its_weights in enumerate(weights):
        y, state = functional_call(cell, its_weights, (x[:, t : t + 1], state))
        loss = loss + (y - target[:, t : t + 1]).square().sum() / 2
    return loss


def _draw_step(axes: Axes, t: int, before: Box, weight: Box, norm: float) -> Box:
    """Draw f, what enters it, the state it makes and that state's loss."""
    x = _FIRST + _PITCH * (t - 1)
    f = box(axes, (x, _ROW), r"$f_W$", colour=WEIGHT, width=1.1, height=1.1)
    h = box(axes, (x + 1.6, _ROW), f"$h_{t}$", colour=STATE)
    frame = box(axes, (x - 0.35, 2.75), f"$x_{t}$", colour=INPUT, width=0.8, height=0.8)
    loss = box(axes, (h.x, 6.5), f"$L_{t}$", colour=LOSS, width=0.9, height=0.8)
    arrow(axes, before.right, f.left)
    arrow(axes, f.right, h.left)
    arrow(axes, frame.top, (frame.x, f.bottom[1]))
    arrow(axes, (x + 0.35, weight.top[1]), (x + 0.35, f.bottom[1]), colour=WEIGHT)
    arrow(axes, h.top, loss.bottom)
    axes.plot([h.x, h.x], [loss.top[1], _SUM], color=LOSS, linewidth=1.6)
    norm_text = rf"$\|\partial L/\partial W_{t}\|$" + f"\n= {norm:.3f}"
    axes.text(x + 0.5, 2.1, norm_text, fontsize=13, color=LOSS, va="center")
    return h
