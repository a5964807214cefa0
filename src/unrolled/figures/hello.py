"""The decks' example of four characters: a network of three hidden units, trained to spell hello.

All the numbers are those of a trained ``MinCharRNN``: one-hot inputs, hidden states, scores. The
framed score is that of the next letter; it is the largest in every column, so that greedy decoding
from h writes the word.

Source: Karpathy 2015, "The Unreasonable Effectiveness of Recurrent Neural Networks".
"""

import math
from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch.nn import functional as F

from unrolled.decoding import greedy
from unrolled.figures._learning import encoded, speller
from unrolled.figures.drawing import (
    GREEN,
    INK,
    INPUT,
    OUTPUT,
    SMALL,
    STATE,
    TEXT,
    WEIGHT,
    arrow,
    board,
    column,
    slide,
)

WORD, VOCABULARY = "hello", "helo"
_STEPS_OF_TRAINING = 150


class Spelling(NamedTuple):
    """What goes through the network, letter by letter, and what it writes by itself."""

    one_hot: list[list[float]]
    hidden: list[list[float]]
    scores: list[list[float]]
    written: str
    nats_per_character: float


def draw() -> Figure:
    """Draw the network unrolled over four letters."""
    spelling = spell()
    figure = slide(f'A network of three hidden units that spells "{WORD}"')
    axes = board(figure, width=16.0, height=8.1, place=(0.01, 0.085, 0.98, 0.835))
    _draw_rows(axes)
    before = None
    for t, place in enumerate((4.4, 7.4, 10.4, 13.4)):
        target = VOCABULARY.index(WORD[t + 1])
        one_hot = column(
            axes, (place, 1.65), spelling.one_hot[t], largest=4.0, colour=INPUT, digits=0
        )
        h = column(axes, (place, 4.0), spelling.hidden[t], largest=1.0, colour=STATE)
        scores = spelling.scores[t]
        y = column(axes, (place, 6.35), scores, largest=8.0, colour=OUTPUT, marked=target)
        arrow(axes, one_hot.top, h.bottom, gap=2)
        arrow(axes, h.top, y.bottom, gap=2)
        if before is not None:
            arrow(axes, before.right, h.left, gap=2)
            axes.text((before.x + h.x) / 2, h.y + 0.25, "$W_{hh}$", ha="center", color=WEIGHT)
        before = h
        axes.text(place, 0.3, WORD[t], ha="center", fontsize=20, fontweight="bold")
        axes.text(place, 7.5, WORD[t + 1], ha="center", fontsize=20, fontweight="bold", color=GREEN)
    figure.text(
        0.5,
        0.045,
        f'greedy decoding from "h" writes "{spelling.written}"; loss '
        f"{spelling.nats_per_character:.3f} nats per character, where knowing nothing costs "
        f"ln 4 = {math.log(4):.3f}",
        ha="center",
        fontsize=TEXT,
    )
    return figure


@torch.no_grad()
def spell() -> Spelling:
    """Train the network, and follow the word through it."""
    with torch.enable_grad():
        model, _ = speller(WORD, VOCABULARY, hidden_size=3, seed=0, steps=_STEPS_OF_TRAINING)
    tokens = encoded(WORD, VOCABULARY)
    state, hidden, scores = model.initial_state(1), [], []
    for token in tokens[:, :-1].unbind(1):
        logits, state = model.step(token, state)
        hidden.append(state.h[0].tolist())
        scores.append(logits[0].tolist())
    loss = F.cross_entropy(torch.tensor(scores), tokens[0, 1:])
    found = greedy(model, tokens[:, :1], max_length=len(WORD) - 1).tokens[0, 0]
    written = WORD[0] + "".join(VOCABULARY[token] for token in found.tolist())
    one_hot = F.one_hot(tokens[0, :-1], len(VOCABULARY)).double().tolist()
    return Spelling(one_hot, hidden, scores, written, loss.item())


def _draw_rows(axes: Axes) -> None:
    """Name the rows of the figure, and the matrices between them."""
    rows = {
        7.6: ("target", GREEN),
        6.35: ("scores", OUTPUT),
        4.0: ("hidden state", STATE),
        1.65: ("input, one-hot", INPUT),
        0.45: ("character", INK),
    }
    for height, (name, _) in rows.items():
        axes.text(0.1, height, name, va="center", fontsize=TEXT)
    for height, name in ((5.05, "$W_{hy}$"), (2.9, "$W_{xh}$")):
        axes.text(4.6, height, name, va="center", color=WEIGHT)
    for height in (6.35, 1.65):
        for row, letter in enumerate(VOCABULARY):
            y = height + 0.42 * (1.5 - row)
            axes.text(3.65, y, letter, va="center_baseline", fontsize=SMALL + 1)
