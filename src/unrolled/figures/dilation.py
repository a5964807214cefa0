"""Dilated causal convolutions: the steps that one output sees, and how fast they grow.

Left, four convolutions of two taps with dilations 1, 2, 4, 8; the dark nodes are those from which
a gradient reaches the last output. Right, a whole ``TCN`` of up to twelve levels, by the formula
and by probing: "12 layers, a history of 2^12" is 4,096 with one convolution a level, 8,191 with the
two of a residual block.

Source: Bai, Kolter & Koltun 2018, arXiv:1803.01271, Fig. 1; van den Oord et al. 2016,
arXiv:1609.03499, Fig. 3.
"""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from unrolled.diagnostics.receptive_field import influence, receptive_field
from unrolled.figures.drawing import BLUE, GREY, INPUT, OUTPUT, RED, board, slide
from unrolled.layers import CausalConv1d, Serial
from unrolled.models import TCN

NUM_LEVELS, KERNEL_SIZE = 4, 2
MOST_LEVELS = 12


def draw() -> Figure:
    """Draw the connections beside the growth of what they see."""
    figure = slide("Dilated causal convolutions: every level doubles the history")
    axes = board(figure, width=17.4, height=13.6, place=(0.01, 0.05, 0.58, 0.85))
    _draw_connections(axes)
    growth = figure.add_axes((0.67, 0.14, 0.3, 0.7))
    _draw_growth(growth)
    return figure


def steps_that_reach() -> list[list[int]]:
    """Return for each level, the input first, the steps whose gradient reaches the last output."""
    layers = [
        CausalConv1d(1, 1, kernel_size=KERNEL_SIZE, dilation=2**level)
        for level in range(NUM_LEVELS)
    ]
    for layer in layers:
        nn.init.constant_(layer.weight, 1.0)
    num_steps = KERNEL_SIZE**NUM_LEVELS
    found = [
        influence(Serial(*layers[level:]), torch.ones(1, num_steps, 1), -1)
        for level in range(NUM_LEVELS)
    ]
    return [*(strength.nonzero().flatten().tolist() for strength in found), [num_steps - 1]]


def spans(convolutions_per_level: int, num_levels: int) -> tuple[int, int]:
    """Return how many steps a TCN sees, by its formula and by probing one a little longer."""
    model = TCN(
        1,
        1,
        hidden_size=2,
        num_levels=num_levels,
        kernel_size=KERNEL_SIZE,
        convolutions_per_level=convolutions_per_level,
    ).double()
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.5)  # positive, so that no ReLU shuts a path
    x = torch.ones(1, model.receptive_field + 3, 1, dtype=torch.float64)
    return model.receptive_field, receptive_field(model, x).span


def _draw_connections(axes: Axes) -> None:
    reached = steps_that_reach()
    num_steps, rise = KERNEL_SIZE**NUM_LEVELS, 2.85
    for level in range(NUM_LEVELS):
        for step in range(num_steps):
            for tap in range(KERNEL_SIZE):
                source = step - tap * 2**level
                if source < 0:
                    continue
                seen = step in reached[level + 1]
                axes.plot(
                    [source + 0.5, step + 0.5],
                    [1 + level * rise, 1 + (level + 1) * rise],
                    color=BLUE if seen else "#D5D5D5",
                    linewidth=2.4 if seen else 0.9,
                    zorder=1.5 if seen else 1,
                )
        text = f"dilation {2**level}"
        axes.text(16.15, 1 + (level + 0.5) * rise, text, fontsize=12, va="center", color=GREY)
    for level, steps in enumerate(reached):
        colour = INPUT if level == 0 else OUTPUT if level == NUM_LEVELS else BLUE
        for step in range(num_steps):
            face = colour if step in steps else "white"
            edge = colour if step in steps else "#BBBBBB"
            axes.plot(step + 0.5, 1 + level * rise, "o", ms=13, mfc=face, mec=edge, mew=1.6)
    axes.text(0.2, 0.1, f"input: {len(reached[0])} steps reach the last output", fontsize=14)
    axes.text(15.5, 12.95, "output", ha="center", fontsize=14)


def _draw_growth(axes: Axes) -> None:
    levels = range(1, MOST_LEVELS + 1)
    readings = ((1, BLUE, "s", "one convolution a level"), (2, RED, "o", "two, a residual block"))
    for count, colour, marker, name in readings:
        by_formula, probed = zip(*(spans(count, level) for level in levels), strict=True)
        axes.plot(levels, by_formula, color=colour, linewidth=1.6, zorder=1)
        axes.plot(levels, probed, marker, color=colour, ms=7, label=name)
        axes.annotate(
            f"{probed[-1]:,}",
            (MOST_LEVELS, probed[-1]),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=15,
            fontweight="bold",
        )
    axes.set_yscale("log", base=2)
    axes.set(xlabel="levels", xticks=range(2, MOST_LEVELS + 1, 2), title="steps seen, kernel 2")
    axes.set_xlim(0.5, MOST_LEVELS + 3)
    axes.legend(loc="upper left")
    formula = "line: $1 + n\\,(k - 1)(2^L - 1)$\nmarks: probed by gradient"
    axes.text(0.98, 0.05, formula, transform=axes.transAxes, ha="right", fontsize=12, color=GREY)
