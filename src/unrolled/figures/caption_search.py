"""Beam search for the caption of one picture, as the tree that it grows.

A ``ShowAttendTell`` that has learnt to name the two things on a board, and a board of which one
thing is orange, a colour that it has no word for: it doubts, and the beam keeps the captions apart.

Source: lecture decks on captioning, the search for a caption; the pictures are none of theirs.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unrolled.decoding import beam_search
from unrolled.figures._describing import (
    CAPTION_LENGTH,
    COLOURS,
    END,
    START,
    WORDS,
    Board,
    Thing,
    board_of,
    bound,
    captioner,
    show,
)
from unrolled.figures.drawing import BLUE, GREEN, GREY, INK, board, signed, slide, tint

STEPS, BEAM_SIZE = 200, 3
_LEFT, _COLUMN = 4.0, 1.48  # place of the first word, and from one word to the next
_TOP, _BOTTOM = 7.2, 0.6
_FAINT = -6.0  # log-probability of what is not worth drawing

Prefix = tuple[str, ...]


@dataclass(frozen=True)
class Search:
    """What a search kept, and the best that it let go.

    Args:
        log_probabilities: of every prefix that is drawn.
        kept: the prefixes of the beam, step by step, the best first.
        dropped: at every step the best continuation that the beam had no room for, if any.
        found: the captions, the best first.
    """

    log_probabilities: dict[Prefix, float]
    kept: list[list[Prefix]]
    dropped: list[Prefix]
    found: list[Prefix]


def orange_board() -> Board:
    """Return a board with an orange circle, between red and yellow, and a blue square."""
    light = [
        (one + other) // 2 for one, other in zip(COLOURS["red"], COLOURS["yellow"], strict=True)
    ]
    red, green, blue = light
    things = (
        Thing("red", "circle", 5, (red, green, blue)),
        Thing("blue", "square", 11, COLOURS["blue"]),
    )
    return board_of(things, np.random.default_rng(0))


@cache
def search() -> Search:
    """Search as ``beam_search`` does, and look at its beam after every step."""
    model, prompt = bound(captioner("show_attend_tell", STEPS), orange_board()), [START]
    scores: dict[Prefix, float] = {(): 0.0}
    kept: list[list[Prefix]] = [[()]]
    dropped: list[Prefix] = []
    for length in range(1, CAPTION_LENGTH + 1):
        beam = beam_search(
            model, torch.tensor([prompt]), max_length=length, stop=END, beam_size=BEAM_SIZE
        )
        rows = zip(*(part[0].tolist() for part in beam[:3]), strict=True)
        grown = {_said(tokens[:size]): score for tokens, size, score in rows if size}
        rest = {
            prefix: score
            for prefix, score in _continued(model, kept[-1], scores).items()
            if prefix not in grown
        }
        scores |= grown
        if rest:
            best = max(rest, key=lambda prefix: rest[prefix])
            scores[best] = rest[best]
            dropped.append(best)
        kept.append([prefix for prefix in grown if len(prefix) == length])
    return Search(scores, kept[1:], dropped, list(grown))


@torch.no_grad()
def _continued(
    model: torch.nn.Module, prefixes: list[Prefix], scores: dict[Prefix, float]
) -> dict[Prefix, float]:
    """Return every prefix with every next word, and how likely that is."""
    found = {}
    for prefix in prefixes:
        words = torch.tensor([[START, *(WORDS.index(word) for word in prefix)]])
        y, _ = model(words)
        following = y.logits[0, -1].log_softmax(-1).tolist()
        for word, value in zip(WORDS, following, strict=True):
            found[(*prefix, word)] = scores[prefix] + value
    return found


def _said(tokens: list[int]) -> Prefix:
    return tuple(WORDS[token] for token in tokens)


def draw() -> Figure:
    """Draw the picture, the tree of what was kept and dropped, and the captions found."""
    figure = slide(f"A beam of {BEAM_SIZE} looks for the caption of one picture")
    axes = board(figure, width=16.0, height=8.1, place=(0.02, 0.02, 0.96, 0.885))
    found = search()
    show(figure.add_axes((0.03, 0.52, 0.17, 0.3)), orange_board())
    heights = _heights(found)
    for prefix in heights:
        if prefix:
            _draw_branch(axes, found, prefix, heights)
    _draw_key(axes)
    return figure


def _heights(found: Search) -> dict[Prefix, float]:
    """Return how high every prefix stands: ends one below the other, others amid what follows."""
    drawn = {p for p, score in found.log_probabilities.items() if score > _FAINT}
    following = {
        prefix: sorted(
            (other for other in drawn if other[:-1] == prefix and other),
            key=lambda other: -found.log_probabilities[other],
        )
        for prefix in drawn
    }
    ends: list[Prefix] = []

    def collect(prefix: Prefix) -> None:
        if not following[prefix]:
            ends.append(prefix)
        for other in following[prefix]:
            collect(other)

    collect(())
    apart = (_TOP - _BOTTOM) / max(1, len(ends) - 1)
    heights = {prefix: _TOP - apart * place for place, prefix in enumerate(ends)}
    for prefix in sorted(drawn - set(ends), key=len, reverse=True):
        heights[prefix] = heights[following[prefix][0]]  # the likeliest goes straight on
    return heights


def _draw_branch(axes: Axes, found: Search, prefix: Prefix, heights: dict[Prefix, float]) -> None:
    """Draw the line to a prefix, its last word, and its log-probability."""
    x, y = _LEFT + _COLUMN * (len(prefix) - 1), heights[prefix]
    best = prefix == found.found[0][: len(prefix)]
    kept = prefix not in found.dropped
    colour = GREEN if best else BLUE if kept else GREY
    if len(prefix) > 1:
        start = (x - _COLUMN, heights[prefix[:-1]])
        width = 6.0 if best else 4.0 if kept else 1.2
        axes.plot(
            *zip(start, (x, y), strict=True), color=tint(colour, 0.6), linewidth=width, zorder=1
        )
    last = prefix[-1]
    frame = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": colour}
    ink = INK if kept else GREY
    axes.text(x, y, last, ha="center", va="center", fontsize=13, color=ink, zorder=4, bbox=frame)
    score = signed(found.log_probabilities[prefix], 2)
    paper = {"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none"}
    axes.text(x, y - 0.34, score, ha="center", va="center", fontsize=10, color=GREY, bbox=paper)


def _draw_key(axes: Axes) -> None:
    """Say what the colours and the numbers are, under the picture."""
    axes.text(0.2, 3.75, "log p of the words so far, in nats", fontsize=10, color=GREY)
    keys = (("the best", GREEN), ("kept", BLUE), ("dropped", GREY))
    for row, (name, colour) in enumerate(keys):
        height = 3.2 - 0.42 * row
        axes.plot([0.2, 0.8], [height, height], color=tint(colour, 0.6), linewidth=5 - 1.5 * row)
        axes.text(1.0, height, name, va="center", fontsize=13)
