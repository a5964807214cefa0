"""How a gradient fades, or grows, with the lag that it travels: a law, a bound and two cells.

Left, the linear network: with W_hh = rho Q, Q orthogonal, every step multiplies the gradient by
rho, and the norm of d h_T / d h_(T - lag) is rho^lag to the last digit. Right, the library's cells
as they start: the tanh network stays below its bound, which may even grow while the gradient
vanishes, and an LSTM keeps what its forget gate, set by its bias b_f, lets through.

    |d h_T / d h_(T - lag)| = rho^lag                       h' = rho Q h + x
    |d h_T / d h_(T - lag)| <= (gamma lambda_1)^lag         h' = tanh(W_hh h + W_ih x + b)
    gamma = 1, lambda_1 the largest singular value of W_hh

All norms are ``unrolled.diagnostics.jacobian_norms``, all bounds ``gradient_bound``.

Source: Bengio, Simard & Frasconi 1994; Pascanu et al. 2013, arXiv:1211.5063, §2.1, eq. 5 to 7; the
forget gate's bias: Gers et al. 2000, Jozefowicz et al. 2015.
"""

from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from unrolled.cells import LSTM, RNN, LinearMemory
from unrolled.diagnostics import gradient_bound, jacobian_norms, recurrent_matrices
from unrolled.figures._learning import seeded
from unrolled.figures.drawing import BLUE, GREEN, GREY, INK, ORANGE, RED, SKY, SMALL, slide

MAX_LAG, SIZE = 100, 24
RHOS = {1.1: RED, 1.0: GREEN, 0.9: BLUE}  # and the colour each is drawn in
_FLOOR, _CEILING = 1e-15, 1e6


def inputs(seed: int) -> Tensor:
    """Return a random input ``[1, MAX_LAG, SIZE]``."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, MAX_LAG, SIZE, dtype=torch.float64, generator=generator)


def linear_norms(rho: float) -> Tensor:
    """Return the norms by lag of h' = rho Q h + x, ``[MAX_LAG + 1]``."""
    with seeded(0):
        network = LinearMemory(SIZE, SIZE, recurrent_init="orthogonal").double()
        # Drawn in float32, the rotation is one to 7 digits only; this makes it one to 16.
        q = torch.linalg.qr(network.weight_hh.detach()).Q
        network.weight_hh.detach().copy_(rho * q)
    return jacobian_norms(network, inputs(0))


class Flow(NamedTuple):
    """Norms by lag ``[MAX_LAG + 1]``, the middle one of several draws, and the bound on each."""

    norms: Tensor
    bound: Tensor


def rnn_flow(num_draws: int = 5) -> Flow:
    """Follow the gradient through tanh networks as they start."""
    norms, bounds = [], []
    for seed in range(num_draws):
        with seeded(seed):
            cell = RNN(SIZE, SIZE).double()
        norms.append(jacobian_norms(cell, inputs(seed)))
        bounds.append(gradient_bound(recurrent_matrices(cell)[0].spectral_norm, MAX_LAG))
    return Flow(torch.stack(norms).median(dim=0).values, torch.stack(bounds).median(dim=0).values)


def lstm_norms(forget_bias: float, num_draws: int = 5) -> Tensor:
    """Return the norms by lag of LSTMs as they start, the middle one of several draws."""
    norms = []
    for seed in range(num_draws):
        with seeded(seed):
            cell = LSTM(SIZE, SIZE, forget_bias=forget_bias).double()
        norms.append(jacobian_norms(cell, inputs(seed)))
    return torch.stack(norms).median(dim=0).values


def draw() -> Figure:
    """Draw norm against lag: the linear network, and the cells."""
    figure = slide("Gradients through time: vanishing, exploding, and remembered")
    left = figure.add_axes((0.085, 0.12, 0.35, 0.70))
    right = figure.add_axes((0.52, 0.12, 0.34, 0.70))
    for rho, colour in RHOS.items():
        norms = linear_norms(rho)
        left.plot(range(0, MAX_LAG + 1, 4), norms[::4], "o", color=colour, markersize=5)
        left.plot(rho ** torch.arange(MAX_LAG + 1.0), color=colour, linewidth=1.2)
        _label(left, norms, rf"$\rho$ = {rho:g}", colour)
    left.set_title(r"$h' = \rho Q h + x$: dots measured, lines $\rho^{lag}$", loc="left")
    rnn = rnn_flow()
    right.plot(rnn.bound, color=RED, linestyle="--", linewidth=1.5)
    _label(right, rnn.bound, r"RNN's bound $(\gamma\lambda_1)^{lag}$", RED)
    right.plot(rnn.norms, color=RED)
    _label(right, rnn.norms, "RNN", RED)
    for forget_bias, colour in ((3.0, BLUE), (1.0, SKY), (0.0, ORANGE)):
        norms = lstm_norms(forget_bias)
        right.plot(norms, color=colour)
        _label(right, norms, f"LSTM, $b_f$ = {forget_bias:g}", colour)
    right.set_title("cells as they start, 24 units", loc="left")
    for axes in (left, right):
        axes.set_yscale("log")
        axes.set(xlim=(0, MAX_LAG), ylim=(_FLOOR, _CEILING), xlabel="lag")
        axes.axhline(1, color=GREY, linewidth=0.8, zorder=0)
    right.tick_params(labelleft=False)
    left.set_ylabel(r"$\|\partial s_T\,/\,\partial s_{T-lag}\|$, s the state", color=INK)
    return figure


def _label(axes: Axes, norms: Tensor, text: str, colour: str) -> None:
    """Name a curve at its right end, or where it leaves the picture below."""
    inside = (norms > _FLOOR).nonzero().flatten()[-1].item()
    if inside == MAX_LAG:
        place, align = (MAX_LAG + 1.5, norms[-1].item()), "left"
    else:
        place, align = (inside - 7, 10 * _FLOOR), "right"
    axes.text(*place, text, color=colour, ha=align, va="center", fontsize=SMALL, clip_on=False)
