"""Soft attention: a mean over all places, weighted anew for every word.

A ``ShowAttendTell`` that has learnt to name the two things on a board. Under each word are its
probability and the share of the attention that lies in one cell of the sixteen, the brightest.

Source: lecture decks on captioning with attention, "a different place for every word"; Xu et al.
2015, arXiv:1502.03044, figure 2.
"""

from matplotlib.figure import Figure

from unrolled.figures._describing import CAPTION_LENGTH, show, show_lit
from unrolled.figures._looking import SOFT, Looked, best, looked, tally
from unrolled.figures.drawing import GREY, SMALL, slide

STEPS = 250
_BOARDS = 3


def draw() -> Figure:
    """Draw a row a board: the board, then once a word, lit where the network looked."""
    figure = slide("Soft attention: a mean over all places, another one for every word")
    everything = looked(SOFT, STEPS)
    key = "beneath each word: its probability, and the share of the attention in the brightest cell"
    figure.text(0.03, 0.9, f"{key}\n{tally(everything)}", fontsize=SMALL, color=GREY, va="center")
    rows = [everything[number] for number in best(everything)[:_BOARDS]]
    width = 0.96 / (CAPTION_LENGTH + 0.3)
    for row, seen in enumerate(rows):
        bottom = 0.65 - 0.285 * row
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
        shares = f"{probability:.2f}    {100 * float(weights.max()):.0f} %"
        figure.text(
            middle, bottom - 0.065, shares, ha="center", va="center", fontsize=SMALL, color=GREY
        )
