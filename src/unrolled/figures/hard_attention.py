"""Soft and hard attention to one board: a mean over all places, or one place at a time.

Both networks have learnt to name the two things on a board: the soft one by its gradient, the hard
one by trial (REINFORCE). Of the hard one two rows are drawn: how likely each place is, and the
place that is looked at, which in use is the likeliest one.

Source: lecture decks on captioning with attention, soft above hard; Xu et al. 2015,
arXiv:1502.03044, figure 3.
"""

from matplotlib.figure import Figure
from torch import Tensor

from unrolled.figures._describing import CAPTION_LENGTH, Looked, looked, show, show_lit
from unrolled.figures.drawing import GREY, slide
from unrolled.figures.soft_attention import STEPS as SOFT_STEPS

STEPS = 600
_BOARD = 0  # of the unseen ones, the one that is drawn


def draw() -> Figure:
    """Draw the board, and three rows of it once a word."""
    figure = slide("Soft attention takes a mean of places, hard attention one of them")
    soft = looked("show_attend_tell", SOFT_STEPS, _BOARD + 1)[_BOARD]
    hard = looked("show_attend_tell_hard", STEPS, _BOARD + 1)[_BOARD]
    rows = [
        ("soft:\nthe weights", soft, soft.weights),
        ("hard: how likely\neach place is", hard, hard.likely),
        ("hard: where\nit looks", hard, hard.weights),
    ]
    for row, (name, seen, weights) in enumerate(rows):
        _draw_row(figure, name, seen, weights, bottom=0.665 - 0.295 * row)
    return figure


def _draw_row(figure: Figure, name: str, seen: Looked, weights: Tensor, *, bottom: float) -> None:
    width = 0.84 / (CAPTION_LENGTH - 1)
    size = (0.93 * width, 0.93 * width * 16 / 9)
    figure.text(0.02, bottom + size[1], name, va="top", fontsize=13)
    show(figure.add_axes((0.02, bottom, 0.6 * size[0], 0.6 * size[1])), seen.board)
    pairs = zip(seen.words, seen.probabilities, weights, strict=True)
    for place, (word, probability, at) in enumerate(pairs):
        left = 0.155 + place * width
        show_lit(figure.add_axes((left, bottom, *size)), seen.board, at)
        middle, most = left + size[0] / 2, f"{100 * float(at.max()):.0f} % in one place"
        figure.text(middle, bottom - 0.025, f"{word} ({100 * probability:.0f} %)", ha="center",
                    va="center", fontsize=13)  # fmt: skip
        figure.text(middle, bottom - 0.055, most, ha="center", va="center", fontsize=10, color=GREY)
