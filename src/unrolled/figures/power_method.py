"""Multiplying by the same matrix again and again: what becomes of a vector, and of a gradient.

A network without nonlinearity carries its state, and its gradient, through the same W at every
step. With W symmetric, v falls into parts along W's eigenvectors, and each part is multiplied by
its own eigenvalue: the length explodes or vanishes with the largest, whose direction is left.

    W = Q diag(lambda) Q^T        W^k v = Q diag(lambda^k) Q^T v
    |W^k v| -> lambda_1^k |q_1 . v|
    tan angle(W^k v, q_1) = (lambda_2 / lambda_1)^k tan angle(v, q_1)        of a 2 x 2 matrix

The powers are the states of a ``LinearMemory``, the library's recurrence without squashing.

Source: the power method, von Mises & Pollaczek-Geiringer 1929; for gradients: Pascanu et al. 2013,
arXiv:1211.5063, §2.1.
"""

import math

import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from torch import Tensor

from unrolled.cells import LinearMemory
from unrolled.cells.linear_memory import LinearMemoryState
from unrolled.figures.drawing import BLUE, GREEN, GREY, INK, RED, SMALL, TEXT, arrow, slide, tint

RATIO = 0.6  # lambda_2 / lambda_1
LARGEST = {1.15: RED, 1.0: GREEN, 0.85: BLUE}  # lambda_1 and the colour it is drawn in
TURN, START_ANGLE = math.radians(35), math.radians(80)  # of q_1 from the first axis, of v from q_1
NUM_POWERS = 20


def matrix(largest: float) -> Tensor:
    """Return the symmetric W ``[2, 2]`` with eigenvalues ``largest`` and ``RATIO`` times that."""
    cos, sin = math.cos(TURN), math.sin(TURN)
    q = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)
    return q @ torch.tensor([largest, RATIO * largest], dtype=torch.float64).diag() @ q.T


def powers(w: Tensor, v: Tensor, num_powers: int = NUM_POWERS) -> Tensor:
    """Return v, W v, W^2 v, ... as the states of a recurrence, ``[num_powers + 1, D]``."""
    memory = LinearMemory(1, len(v)).double()
    with torch.no_grad():
        memory.weight_hh.copy_(w)
        nothing = torch.zeros(1, num_powers, 1, dtype=torch.float64)
        y, _ = memory(nothing, LinearMemoryState(v[None]))
    return torch.cat([v[None], y[0]])


def start() -> Tensor:
    """Return v, of length 1."""
    angle = TURN + START_ANGLE
    return torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)


def angles(vectors: Tensor) -> Tensor:
    """Return the angle of each vector ``[N, 2]`` to the top eigenvector, in radians."""
    return (torch.atan2(vectors[:, 1], vectors[:, 0]) - TURN).abs()


def draw() -> Figure:
    """Draw the vectors, their lengths and their angles to the top eigenvector."""
    figure = slide("W applied again and again: the largest eigenvalue decides")
    plane = figure.add_axes((0.02, 0.10, 0.36, 0.72))
    _draw_plane(plane)
    lengths = figure.add_axes((0.43, 0.14, 0.24, 0.66))
    turned = figure.add_axes((0.75, 0.14, 0.23, 0.66))
    k = torch.arange(NUM_POWERS + 1)
    for largest, colour in LARGEST.items():
        vectors = powers(matrix(largest), start())
        norms = vectors.norm(dim=1)
        lengths.semilogy(k, norms, "o", color=colour, markersize=5)
        lengths.semilogy(k, largest**k * math.cos(START_ANGLE), color=colour, linewidth=1.2)
        name = f"$\\lambda_1$ = {largest:g}"
        lengths.text(NUM_POWERS + 0.6, norms[-1], name, color=colour, va="center", fontsize=SMALL)
    tangents = angles(powers(matrix(1.0), start())).tan()
    turned.semilogy(k, tangents, "o", color=INK, markersize=5)
    turned.semilogy(k, RATIO**k * tangents[0], color=GREY, linewidth=1.2)
    turned.text(8, 0.3, r"line: $(\lambda_2/\lambda_1)^k \tan\,\theta_0$", fontsize=SMALL)
    ticks = (0, 5, 10, 15, 20)
    lengths.set(xlabel="k", xlim=(-0.5, NUM_POWERS + 5), xticks=ticks)
    lengths.set_title(r"length $|W^k v|$ $\to$ $\lambda_1^k\,|q_1 \cdot v|$", loc="left")
    turned.set(xlabel="k", xticks=ticks)
    turned.set_title(r"angle to $q_1$: $\tan\,\theta_k$", loc="left")
    return figure


def _draw_plane(axes: Axes) -> None:
    """Draw v and its first images under W with lambda_1 = 1.15, and the eigenvectors."""
    axes.set(xlim=(-0.62, 0.82), ylim=(-0.2, 1.25), aspect="equal", xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    for turn, name, shift in (
        (TURN, "$q_1$", (0.04, -0.1)),
        (TURN + math.pi / 2, "$q_2$", (-0.13, -0.02)),
    ):
        x, y = math.cos(turn), math.sin(turn)
        axes.plot([-2 * x, 2 * x], [-2 * y, 2 * y], color=GREY, linewidth=1, linestyle="--")
        axes.text(0.75 * x + shift[0], 0.75 * y + shift[1], name, color=GREY, fontsize=TEXT)
    vectors = powers(matrix(1.15), start(), 8)
    for number, vector in enumerate(vectors.tolist()):
        shade = 0.25 + 0.75 * number / 8
        tone = to_hex(tint(RED, shade))
        arrow(axes, (0, 0), (vector[0], vector[1]), colour=tone, linewidth=2)
        if number in (0, 1, 2, 8):
            name = "$v$" if number == 0 else f"$W^{{{number}}}v$" if number > 1 else "$Wv$"
            axes.text(vector[0], vector[1] + 0.04, name, fontsize=TEXT, ha="left", va="bottom")
    axes.set_title(r"$\lambda_1$ = 1.15, $\lambda_2$ = 0.69", loc="left")
