"""Five ways to drive one recurrence: each box a step taken, each shape one that came out.

Source: Karpathy 2015, "The Unreasonable Effectiveness of Recurrent Neural Networks". The networks
are the library's, untrained.
"""

import itertools
from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from unrolled.cells import LSTM
from unrolled.decoding import greedy
from unrolled.figures._learning import seeded
from unrolled.figures.drawing import (
    DASHED,
    GREY,
    INK,
    INPUT,
    OUTPUT,
    STATE,
    arrow,
    board,
    box,
    slide,
)
from unrolled.layers import Embedding, Last, Linear, Serial
from unrolled.models import RecurrentLanguageModel

_PITCH, _GAP, _WIDTH = 1.2, 1.0, 2.6  # of steps, between patterns, of a pattern at least
_Y, _H, _X = 9.2, 6.9, 4.6  # heights of the three rows


class Pattern(NamedTuple):
    """One way to drive a recurrence, and the shapes that were seen."""

    name: str
    example: str
    inputs: range  # the steps that read an input
    outputs: range  # the steps whose output counts
    shapes: dict[str, list[int]]
    feeds_back: bool = False  # whether an output is the next step's input

    @property
    def num_steps(self) -> int:
        """How often the recurrence was stepped."""
        return max(self.inputs.stop, self.outputs.stop)


def draw() -> Figure:
    """Draw the five side by side."""
    figure = slide("One recurrence, five shapes of problem")
    found = patterns()
    widths = [max(_WIDTH, pattern.num_steps * _PITCH) for pattern in found]
    width = sum(widths) + _GAP * len(widths)
    axes = board(figure, width=width, height=width * 0.52, place=(0.01, 0.02, 0.98, 0.89))
    left = _GAP / 2
    for pattern, its_width in zip(found, widths, strict=True):
        _draw_pattern(axes, pattern, left + its_width / 2)
        left += its_width + _GAP
    figure.text(
        0.5,
        0.035,
        "x [batch, steps, features], or tokens [batch, steps]; h after the last step; "
        "dashed: the token chosen is the next step's input",
        ha="center",
        fontsize=12,
        color=GREY,
    )
    return figure


@torch.no_grad()
def patterns() -> list[Pattern]:
    """Run the five, and note what went in and what came out."""
    with seeded(0):
        picture, clip, words = torch.randn(1, 1, 6), torch.randn(1, 3, 6), torch.tensor([[1, 4, 2]])
        return [
            _classified("one to one", "a picture:\nits class", picture),
            _captioned(picture),
            _classified("many to one", "a clip:\nits action", clip),
            _answered(words),
            _labelled(clip),
        ]


def _classified(name: str, example: str, x: Tensor) -> Pattern:
    cell, readout = LSTM(6, 5), Linear(5, 3)
    h, state = cell(x)
    scores, _ = readout(h)
    y = Last()(scores)
    steps = range(x.shape[1])
    return Pattern(name, example, steps, steps[-1:], _shapes(x, state.h, y))


def _captioned(picture: Tensor) -> Pattern:
    """Show the picture once, in a word's place, and read every word chosen after that."""
    as_word, embedding = Linear(6, 4), Embedding(11, 4)
    cell, readout = LSTM(4, 5), Linear(5, 11)
    h, state = cell(as_word(picture)[0])
    first = readout(h)[0].argmax(dim=-1)
    writer = Serial(embedding, cell, readout)
    following = greedy(writer, first, state=((), state, ()), max_length=2).tokens[:, 0]
    words = torch.cat([first, following], dim=1)
    _, (_, state, _) = writer(words[:, :-1], ((), state, ()))
    shapes = _shapes(picture, state.h, words)
    return Pattern("one to many", "a picture:\nits caption", range(1), range(3), shapes, True)


def _answered(question: Tensor) -> Pattern:
    model = RecurrentLanguageModel(11, embedding_size=4, hidden_size=5)
    answer = greedy(model, question, max_length=3).tokens[:, 0]
    _, states = model(torch.cat([question, answer[:, :-1]], dim=1))
    reads, writes = question.shape[1], answer.shape[1]
    outputs = range(reads - 1, reads - 1 + writes)
    shapes = _shapes(question, states[1].h, answer)
    return Pattern("many to many", "a question:\nits answer", range(reads), outputs, shapes, True)


def _labelled(frames: Tensor) -> Pattern:
    cell, readout = LSTM(6, 5), Linear(5, 3)
    h, state = cell(frames)
    y, _ = readout(h)
    steps, shapes = range(frames.shape[1]), _shapes(frames, state.h, y)
    return Pattern("many to many", "frames: a label\nfor each", steps, steps, shapes)


def _shapes(x: Tensor, h: Tensor, y: Tensor) -> dict[str, list[int]]:
    return {"x": list(x.shape), "h": list(h.shape), "y": list(y.shape)}


def _draw_pattern(axes: Axes, pattern: Pattern, middle: float) -> None:
    places = [middle + _PITCH * (t - (pattern.num_steps - 1) / 2) for t in range(pattern.num_steps)]
    look = {"width": 0.76, "height": 1.1}
    states = [box(axes, (place, _H), "h", colour=STATE, **look) for place in places]
    for before, after in itertools.pairwise(states):
        arrow(axes, before.right, after.left)
    for t in pattern.inputs:
        arrow(axes, box(axes, (places[t], _X), "x", colour=INPUT, **look).top, states[t].bottom)
    for t in pattern.outputs:
        y = box(axes, (places[t], _Y), "y", colour=OUTPUT, **look)
        arrow(axes, states[t].top, y.bottom)
        if pattern.feeds_back and t + 1 < pattern.num_steps:
            after = states[t + 1]
            start, end = (y.right[0], y.y - 0.2), (after.x - 0.25, after.top[1])
            arrow(axes, start, end, linestyle=DASHED, colour=GREY, bend=-0.25)
    axes.text(middle, 10.85, pattern.name, ha="center", fontsize=17, fontweight="bold")
    axes.text(middle, 3.5, pattern.example, ha="center", va="top", fontsize=14, color=INK)
    text = "\n".join(f"{name} {shape}" for name, shape in pattern.shapes.items())
    axes.text(middle, 2.15, text, ha="center", va="top", fontsize=13, family="monospace")
