"""Soft attention: for every word the decoder looks somewhere else, and at all places a little.

A ``ShowAttendTell`` that has learnt to name the two things on a board. Under each word are its
probability and the share of its attention that lies in the brightest of the sixteen cells.

Source: lecture decks on captioning with attention, "a different place for every word"; Xu et al.
2015, arXiv:1502.03044, figure 2.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from unrolled.decoding import greedy
from unrolled.figures._describing import (
    CAPTION_LENGTH,
    END,
    START,
    WORDS,
    Board,
    board,
    bound,
    captioner,
    show,
    show_lit,
)
from unrolled.figures.drawing import GREY, SMALL, slide

STEPS = 400
_UNSEEN = 10**6  # seed of boards that were not learnt from
_BOARDS = 3


class Looked(NamedTuple):
    """A board, what was said of it, and where the network looked."""

    board: Board
    words: list[str]
    probabilities: list[float]
    weights: Tensor  # [T, L]


@cache
def looked(name: str, steps: int, count: int) -> list[Looked]:
    """Let a network describe boards that it has not seen."""
    network, draws = captioner(name, steps), np.random.default_rng(_UNSEEN)
    return [describe(network, board(draws)) for _ in range(count)]


@torch.no_grad()
def describe(network: torch.nn.Module, shown: Board) -> Looked:
    """Return the likeliest words one by one, and where the network looked for each."""
    model = bound(network, shown)
    prompt = torch.tensor([[START]])
    found = greedy(model, prompt, max_length=CAPTION_LENGTH, stop=END)
    tokens = found.tokens[0, 0, : int(found.lengths[0, 0])]
    y, _ = model(torch.cat([prompt, tokens[None, :-1]], dim=1))
    shares = y.logits[0].softmax(-1).gather(1, tokens[:, None])[:, 0]
    words = [WORDS[token] for token in tokens.tolist() if token != END]
    return Looked(shown, words, shares.tolist()[: len(words)], y.weights[0, : len(words)])


def draw() -> Figure:
    """Draw a row a board: the board, then once a word, lit where the network looked."""
    figure = slide("Soft attention: for every word it looks somewhere else")
    rows = looked("show_attend_tell", STEPS, _BOARDS)
    width = 0.96 / (CAPTION_LENGTH + 0.3)
    for row, seen in enumerate(rows):
        bottom = 0.66 - 0.31 * row
        _draw_row(figure, seen, bottom, width)
    return figure


def _draw_row(figure: Figure, seen: Looked, bottom: float, width: float) -> None:
    size = (0.93 * width, 0.93 * width * 16 / 9)
    show(figure.add_axes((0.02, bottom, *size)), seen.board)
    pairs = zip(seen.words, seen.probabilities, seen.weights, strict=True)
    for place, (word, probability, weights) in enumerate(pairs):
        left = 0.02 + (place + 1.3) * width
        show_lit(figure.add_axes((left, bottom, *size)), seen.board, weights)
        middle = left + size[0] / 2
        figure.text(middle, bottom - 0.03, word, ha="center", va="center")
        shares = f"{100 * probability:.0f} %, {100 * float(weights.max()):.0f} %"
        figure.text(
            middle, bottom - 0.065, shares, ha="center", va="center", fontsize=SMALL, color=GREY
        )
