"""Soft and hard attention to one board: a mean over all places, or one place at a time.

Both networks have learnt to name the two things on a board: the soft one by its gradient; the hard
one goes on from there by trial (REINFORCE). Of the hard one two rows are drawn: how likely each
place is, and all that it sees, which in use is the likeliest place.

Source: lecture decks on captioning with attention, soft above hard; Xu et al. 2015,
arXiv:1502.03044, figure 3.
"""

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

from unrolled.figures._describing import CAPTION_LENGTH, CELL, GRID, Board, show, show_lit
from unrolled.figures._looking import HARD, SOFT, Looked, best, looked, tally
from unrolled.figures.drawing import GREY, SMALL, slide
from unrolled.figures.soft_attention import STEPS

_PAPER = 237  # of what is not seen


def draw() -> Figure:
    """Draw the board, and three rows of it once a word."""
    figure = slide("Soft attention takes a mean of places, hard attention one of them")
    all_soft, all_hard = looked(SOFT, STEPS), looked(HARD, STEPS)
    counts = f"soft: {tally(all_soft)}\nhard: {tally(all_hard)}"
    figure.text(0.03, 0.9, counts, fontsize=SMALL, color=GREY, va="center")
    drawn = best(all_soft, all_hard)[0]
    soft, hard = all_soft[drawn], all_hard[drawn]
    show(figure.add_axes((0.02, 0.645, 0.067, 0.067 * 16 / 9)), soft.board)
    rows = [
        ("soft:\nthe weights", soft, soft.weights, False),
        ("hard: how likely\neach place is", hard, hard.likely, False),
        ("hard: all\nthat it sees", hard, hard.weights, True),
    ]
    for row, (name, seen, weights, alone) in enumerate(rows):
        _draw_row(figure, name, seen, weights, bottom=0.65 - 0.29 * row, alone=alone)
    return figure


def only(shown: Board, weights: Tensor) -> Board:
    """Return a board of which nothing is left but the place most looked at."""
    place = F.one_hot(weights.argmax(), len(weights)).view(GRID)
    kept = place.repeat_interleave(CELL, dim=0).repeat_interleave(CELL, dim=1).bool()
    return Board(torch.where(kept, shown.pixels, _PAPER), shown.things)


def _draw_row(
    figure: Figure, name: str, seen: Looked, weights: Tensor, *, bottom: float, alone: bool
) -> None:
    """Draw the board once a word: lit, or ``alone`` the one place that is seen."""
    width = 0.84 / (CAPTION_LENGTH - 1)
    size = (0.93 * width, 0.93 * width * 16 / 9)
    figure.text(0.02, bottom + size[1], name, va="top", fontsize=13)
    pairs = zip(seen.words, seen.probabilities, weights, strict=True)
    for place, (word, probability, at) in enumerate(pairs):
        left = 0.155 + place * width
        axes = figure.add_axes((left, bottom, *size))
        if alone:
            show(axes, only(seen.board, at))
        else:
            show_lit(axes, seen.board, at)
        middle, most = left + size[0] / 2, f"{100 * float(at.max()):.0f} % in one place"
        figure.text(middle, bottom - 0.025, f"{word} ({100 * probability:.0f} %)", ha="center",
                    va="center", fontsize=13)  # fmt: skip
        figure.text(middle, bottom - 0.055, most, ha="center", va="center", fontsize=10, color=GREY)
