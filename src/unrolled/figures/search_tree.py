"""Every continuation of three letters, and which of them greedy, beam and exhaustive search find.

The model is an untrained ``RecurrentLanguageModel`` of three letters, its weights doubled, of a
seed for which the three searches part: greedy takes the likeliest letter each time and loses, a
beam of two does better, and only the search of all 27 finds the likeliest continuation.
"""

from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from unrolled.decoding import Hypotheses, beam_search, exhaustive_search, greedy
from unrolled.figures._learning import seeded
from unrolled.figures.drawing import (
    BLUE,
    GREEN,
    GREY,
    RED,
    TEXT,
    Point,
    board,
    node,
    signed,
    slide,
    tint,
)
from unrolled.models import RecurrentLanguageModel

LETTERS, DEPTH, BEAM_SIZE = "abc", 3, 2
_NUM_LEAVES: int = len(LETTERS) ** DEPTH
_COLUMNS = (0.6, 3.4, 6.4, 9.4)  # places of the root and of the three letters
_ROW = 0.285  # height of a leaf


@dataclass(frozen=True)
class Tree:
    """The tree, and the paths through it.

    Args:
        log_probabilities: of every prefix, as "ab".
        found: what each search found, as "greedy" and "acc".
        survivors: the prefixes that the beam kept, at every depth.
    """

    log_probabilities: dict[str, float]
    found: dict[str, str]
    survivors: list[str]


def draw() -> Figure:
    """Draw the tree with the three paths, and a table of what they come to."""
    figure = slide("Three searches of one tree: greedy takes the best step, not the best path")
    axes = board(figure, width=16.0, height=8.1, place=(0.02, 0.02, 0.96, 0.885))
    tree = search()
    for prefix in tree.log_probabilities:
        _draw_branch(axes, tree, prefix)
    node(axes, (_COLUMNS[0], _height("")), "a", radius=0.27)
    axes.text(_COLUMNS[0], _height("") + 0.45, "prompt", ha="center", fontsize=12, color=GREY)
    _draw_table(axes, tree)
    return figure


def search() -> Tree:
    """Run the three searches, and score every prefix."""
    with seeded(276):
        model = RecurrentLanguageModel(3, cell="rnn", embedding_size=4, hidden_size=6).double()
    for parameter in model.parameters():
        parameter.detach().mul_(2)
    prompt = torch.tensor([[0]])
    log_probabilities: dict[str, float] = {}
    survivors: list[str] = []
    for length in range(1, DEPTH + 1):
        # Without a stop token the beam of so many letters is what a longer search keeps there.
        beam = beam_search(model, prompt, max_length=length, beam_size=BEAM_SIZE)
        survivors += _written(beam)
        every = exhaustive_search(
            model, prompt, max_length=length, num_hypotheses=len(LETTERS) ** length
        )
        scores = every.log_probabilities[0].tolist()
        log_probabilities |= dict(zip(_written(every), scores, strict=True))
    found = {
        "greedy": _written(greedy(model, prompt, max_length=DEPTH))[0],
        f"beam of {BEAM_SIZE}": survivors[-BEAM_SIZE],
        "exhaustive": _written(every)[0],
    }
    return Tree(log_probabilities, found, survivors)


def _written(found: Hypotheses) -> list[str]:
    tokens: Tensor = found.tokens[0]
    return ["".join(LETTERS[token] for token in row) for row in tokens.tolist()]


def _height(prefix: str) -> float:
    """Return how high a prefix stands: in the middle of the leaves that begin with it."""
    leaves = int(len(LETTERS) ** (DEPTH - len(prefix)))
    first = sum(
        LETTERS.index(letter) * int(len(LETTERS) ** (DEPTH - 1 - place))
        for place, letter in enumerate(prefix)
    )
    return 0.2 + _ROW * (_NUM_LEAVES - 1 - first - (leaves - 1) / 2)


def _paths(tree: Tree) -> list[tuple[list[str], str, float]]:
    """Return each search's prefixes, colour and width of line, the widest first."""
    greedy_path, _, best = tree.found.values()
    return [
        ([best[:length] for length in range(1, DEPTH + 1)], GREEN, 11.0),
        (tree.survivors, BLUE, 6.5),
        ([greedy_path[:length] for length in range(1, DEPTH + 1)], RED, 2.4),
    ]


def _draw_branch(axes: Axes, tree: Tree, prefix: str) -> None:
    """Draw the line to a prefix in the colours of whoever went there, and what stands at it."""
    depth, last = len(prefix), prefix[-1]
    start: Point = (_COLUMNS[depth - 1], _height(prefix[:-1]))
    end: Point = (_COLUMNS[depth], _height(prefix))
    xs, ys = zip(start, end, strict=True)
    axes.plot(xs, ys, color="#BBBBBB", linewidth=1.0, zorder=1)
    for number, (prefixes, colour, width) in enumerate(_paths(tree)):
        if prefix in prefixes:
            axes.plot(xs, ys, color=tint(colour, 0.75), linewidth=width, zorder=1.1 + number / 10)
    score = tree.log_probabilities[prefix]
    best = prefix in tree.found.values()
    if depth == DEPTH:
        text = f"{' '.join(prefix)}   {signed(score, 2)}"
        weight: Any = "bold" if best else "normal"
        axes.text(end[0] + 0.2, end[1], text, va="center", fontsize=11.5, fontweight=weight)
        return
    radius = 0.25 if depth == 1 else 0.22
    node(axes, end, last, radius=radius, fontsize=TEXT if depth == 1 else 12)
    x, side = (end[0], "center") if depth == 1 else (end[0] + 0.33, "left")
    rise = 0.36 if depth == 1 else 0.21
    axes.text(x, end[1] + rise, signed(score, 2), ha=side, fontsize=11)


def _draw_table(axes: Axes, tree: Tree) -> None:
    """Say in words what each search found."""
    left = 11.9
    axes.text(
        left, 7.65, "log p of the letters so far,\nin nats", fontsize=12, color=GREY, va="top"
    )
    for row, (name, colour) in enumerate(zip(tree.found, (RED, BLUE, GREEN), strict=True)):
        path = tree.found[name]
        score = tree.log_probabilities[path]
        height = 5.9 - 1.65 * row
        axes.plot([left, left + 0.6], [height, height], color=colour, linewidth=5)
        axes.text(left + 0.8, height, name, va="center", fontsize=16, fontweight="bold")
        probability = f"{100 * torch.tensor(score).exp().item():.1f} %"
        text = f"{' '.join(path)}:  log p = {signed(score, 3)}, p = {probability}"
        axes.text(left, height - 0.5, text, va="center", fontsize=13)
