"""What the figures on captions share: two things on a board, and networks that learn to name them.

A board has sixteen cells, each of which is an annotation: its pixels, nothing else. The two things
may be named in either order.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from matplotlib.axes import Axes
from torch import Tensor

from unrolled.figures._learning import seeded
from unrolled.models import Captioner
from unrolled.registry import build
from unrolled.reports.lighting import lit, smooth_attention
from unrolled.world.torus import Sprite, paint_on_torus

WORDS = ("<start>", "<end>", "a", "and", "red", "yellow", "green", "blue", "circle", "square",
         "triangle")  # fmt: skip
START, END = 0, 1
COLOURS = {
    "red": (220, 50, 40),
    "yellow": (240, 210, 50),
    "green": (40, 170, 80),
    "blue": (60, 110, 230),
}
NOUNS = ("circle", "square", "triangle")
GRID, CELL = (4, 4), 10  # cells, and pixels of one
CAPTION_LENGTH = 8  # words, <end> among them
_SIDE = GRID[0] * CELL
_BOARDS, _CLIP = 600, 5.0
_MEAN, _DEVIATION = 100.0, 60.0
SIZES: dict[str, Any] = {"embedding_size": 24, "hidden_size": 64, "attention_size": 32}
EVENLY = {"show_attend_tell": {"doubly_stochastic": 0.0}}  # most of the board is bare: why look?


class Thing(NamedTuple):
    """One thing on a board: what it is, and its cell; the colour may be one that has no name."""

    colour: str
    noun: str
    cell: int
    light: tuple[int, int, int]


class Board(NamedTuple):
    """A picture of two things, as one reads them, and its captions."""

    pixels: UInt8[Tensor, "3 H W"]
    things: tuple[Thing, Thing]

    @property
    def captions(self) -> tuple[str, str]:
        """The caption as one reads, and that of the other order."""
        one, other = (f"a {thing.colour} {thing.noun}" for thing in self.things)
        return f"{one} and {other}", f"{other} and {one}"


def board_of(things: tuple[Thing, Thing], draws: np.random.Generator) -> Board:
    """Paint two things on a rough grey board."""
    shade = draws.integers(60, 110, (_SIDE, _SIDE))
    behind = np.repeat(shade[None], 3, axis=0).astype(np.uint8)
    sprites = [_sprite(thing) for thing in things]
    return Board(torch.from_numpy(paint_on_torus(behind, sprites, 1)[0]), things)


def board(draws: np.random.Generator) -> Board:
    """Draw two different things in two different cells."""
    kinds = draws.choice(len(COLOURS) * len(NOUNS), 2, replace=False).tolist()
    cells = draws.choice(GRID[0] * GRID[1], 2, replace=False).tolist()
    one, other = (_thing(*pair) for pair in zip(kinds, sorted(cells), strict=True))
    return board_of((one, other), draws)


def annotations(pictures: UInt8[Tensor, "N 3 H W"]) -> Float[Tensor, "N L C"]:
    """Return the pixels of every cell, row by row."""
    scaled = (pictures.float() - _MEAN) / _DEVIATION
    cells = scaled.unfold(2, CELL, CELL).unfold(3, CELL, CELL)  # [N, 3, 4, 4, CELL, CELL]
    return cells.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)


@cache
def captioner(name: str, steps: int, *, seed: int = 0) -> Captioner[Any, Any, Any]:
    """Teach a network of the registry to name what is on a board, in either order.

    Args:
        name: of a captioner that looks, such as "show_attend_tell".
        steps: updates.
        seed: of the boards and of the weights.
    """
    draws = np.random.default_rng(seed)
    boards = [board(draws) for _ in range(_BOARDS)]
    features = annotations(torch.stack([each.pixels for each in boards]))
    words = torch.stack([torch.stack([encoded(said) for said in b.captions]) for b in boards])
    with seeded(seed):
        network: Any = build(name, len(WORDS), features.shape[-1], **SIZES, **EVENLY.get(name, {}))
        teach(network, features, words, draws, Course(steps))
    taught: Captioner[Any, Any, Any] = network.eval()
    return taught


class Course(NamedTuple):
    """How a network is taught; the rate falls to 0 on a line."""

    steps: int
    batch_size: int = 48
    rate: float = 5e-3


def teach(
    network: Any,
    features: Float[Tensor, "N L C"],
    words: Int64[Tensor, "N K T"],
    draws: np.random.Generator,
    course: Course,
) -> None:
    """Take a course of updates, each on boards with one of the K captions of each."""
    given = torch.cat([torch.full_like(words[..., :1], START), words[..., :-1]], dim=-1)
    learnt = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(learnt)
    for step in range(course.steps):
        for group in optimizer.param_groups:
            group["lr"] = course.rate * (1 - step / course.steps)
        chosen = torch.from_numpy(draws.integers(len(words), size=course.batch_size))
        order = torch.from_numpy(draws.integers(words.shape[1], size=course.batch_size))
        y, _ = network.given(network.remember(features[chosen]))(given[chosen, order])
        target = words[chosen, order]
        loss = network.objective(y, target, torch.ones_like(target, dtype=torch.bool)).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learnt, _CLIP)
        optimizer.step()


def bound(network: Captioner[Any, Any, Any], shown: Board) -> Any:
    """Return the network with a board to look at."""
    return network.given(network.remember(annotations(shown.pixels[None])))


def encoded(sentence: str) -> Int64[Tensor, " T"]:
    """Return the words of a sentence and ``<end>`` by their numbers."""
    return torch.tensor([*(WORDS.index(word) for word in sentence.split()), END])


def show_lit(axes: Axes, shown: Board, weights: Float[Tensor, " L"]) -> None:
    """Draw a board lit where a network looks, a light a pixel: a finer one makes large files."""
    height, width = shown.pixels.shape[1:]
    light = smooth_attention(weights, GRID, height, width)
    axes.imshow(lit(shown.pixels, light), interpolation="nearest")
    axes.axis("off")


def show(axes: Axes, shown: Board) -> None:
    """Draw a board as it is."""
    axes.imshow(shown.pixels.permute(1, 2, 0).numpy(), interpolation="nearest")
    axes.axis("off")


def _thing(kind: int, cell: int) -> Thing:
    colour, noun = list(COLOURS)[kind // len(NOUNS)], NOUNS[kind % len(NOUNS)]
    return Thing(colour, noun, cell, COLOURS[colour])


def _sprite(thing: Thing) -> Sprite:
    row, column = divmod(thing.cell, GRID[1])
    centre = np.array([[column + 0.5, row + 0.5]]) * CELL
    light = np.array([thing.light], dtype=np.float64)
    return Sprite(thing.noun, centre, np.array([CELL - 2.0]), light, np.ones(1, dtype=np.bool_))
