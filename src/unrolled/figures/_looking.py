"""What the figures on attention share: networks that name two things as one reads them.

The order is fixed, since a network asks where to look before it is told the word it has just said:
were either thing to be named first, it would have to look at both. An annotation is the pixels of a
cell, coarsely, and its row and column. The state begins alike for all boards: what is named was
looked at.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional as F

from unrolled.decoding import greedy
from unrolled.figures._describing import (
    CAPTION_LENGTH,
    CELL,
    END,
    EVENLY,
    GRID,
    SIZES,
    START,
    WORDS,
    Board,
    Course,
    annotations,
    board,
    encoded,
    teach,
)
from unrolled.figures._learning import seeded
from unrolled.models import Captioner
from unrolled.registry import build

SOFT, HARD = "show_attend_tell", "show_attend_tell_hard"
UNSEEN = 200  # boards to be described that were not learnt from
_BOARDS, _BATCH_SIZE = 1000, 32
_RATES = {SOFT: 2e-2, HARD: 1e-2}
# With seeds 0 to 4 and 300 steps, hard attention names from 173 to 193 of 200 boards right. With
# some it looks at a thing for its colour only, and remembers its shape; with this one for both.
_SEED = 4
_COARSE, _PLACED = 2, 5.0  # pixels made one, down and across; what a row or a column counts for
# Hard attention learns by nothing but the unbiased estimate: soft attention has shown it where.
_OPTIONS: dict[str, dict[str, Any]] = {**EVENLY, HARD: {"entropy": 0.0, "expectation": 0.0}}
_NAMED = {1: 0, 2: 0, 5: 1, 6: 1}  # the places of colours and nouns in a caption, and their thing


class Looked(NamedTuple):
    """A board, what was said of it, and where the network looked."""

    board: Board
    words: list[str]
    probabilities: list[float]
    weights: Tensor  # [T, L], what is looked at
    likely: Tensor  # [T, L], how likely a place is to be looked at; soft attention looks at all

    @property
    def exact(self) -> bool:
        """Whether the two things were named as one reads them."""
        return " ".join(self.words) == self.board.captions[0]

    @property
    def pointed(self) -> list[bool]:
        """For every colour and noun, whether the place most looked at is its thing's."""
        most = dict(enumerate(self.weights.argmax(dim=-1).tolist()))
        return [most.get(at) == self.board.things[thing].cell for at, thing in _NAMED.items()]


class Tally(NamedTuple):
    """How often a network was right."""

    exact: int  # captions
    captions: int
    pointed: int  # colours and nouns that were said while looking most at their thing
    named: int

    def __str__(self) -> str:
        """Say the counts, as the figures do."""
        return (
            f"{self.exact} of {self.captions} unseen boards named right; "
            f"looked most at the right thing for {self.pointed} of {self.named} colours and shapes"
        )


def places(pictures: UInt8[Tensor, "N 3 H W"]) -> Float[Tensor, "N L C"]:
    """Return the coarse pixels of every cell, and its row and its column, one-hot."""
    cells = annotations(pictures).unflatten(2, (3 * CELL // _COARSE, _COARSE, -1, _COARSE))
    at = torch.cartesian_prod(torch.arange(GRID[0]), torch.arange(GRID[1]))
    where = torch.cat([F.one_hot(at[:, 0], GRID[0]), F.one_hot(at[:, 1], GRID[1])], dim=1)
    seen = cells.mean(dim=(3, 5)).flatten(2)
    return torch.cat([seen, _PLACED * where.expand(len(seen), -1, -1)], dim=2)


@cache
def looker(name: str, steps: int, *, seed: int = 0) -> Captioner[Any, Any, Any]:
    """Teach a network with attention to name what is on a board, in the order of reading.

    Args:
        name: SOFT; or HARD, which begins with what the soft one has learnt.
        steps: updates; of both, for hard attention.
        seed: of the boards and of the weights.
    """
    draws = np.random.default_rng(seed)
    boards = [board(draws) for _ in range(_BOARDS)]
    features = places(torch.stack([each.pixels for each in boards]))
    words = torch.stack([encoded(each.captions[0])[None] for each in boards])
    with seeded(seed):
        network: Any = build(name, len(WORDS), features.shape[-1], **SIZES, **_OPTIONS[name])
        if name == HARD:
            learnt = looker(SOFT, steps, seed=seed).state_dict()
            network.load_state_dict({**learnt, "baseline": network.baseline})
        for layer in (network.initial_h, network.initial_c):
            torch.nn.init.zeros_(layer.weight.requires_grad_(False))
        teach(network, features, words, draws, Course(steps, _BATCH_SIZE, _RATES[name]))
    taught: Captioner[Any, Any, Any] = network.eval()
    return taught


@cache
def looked(name: str, steps: int) -> list[Looked]:
    """Let a network describe boards that it has not seen, with the likeliest words one by one."""
    network, draws = looker(name, steps, seed=_SEED), np.random.default_rng(10**6)
    boards = [board(draws) for _ in range(UNSEEN)]
    features = places(torch.stack([each.pixels for each in boards]))
    with torch.no_grad():
        model: Any = network.given(network.remember(features))
        prompt = torch.full((len(boards), 1), START)
        found = greedy(model, prompt, max_length=CAPTION_LENGTH, stop=END)
        tokens = found.tokens[:, 0]
        y, _ = model(torch.cat([prompt, tokens[:, :-1]], dim=1))
        shares = y.logits.softmax(dim=-1).gather(2, tokens[..., None])[..., 0]
        likely = y.log_probabilities.exp() if name == HARD else y.weights
    rows = zip(boards, tokens.tolist(), shares.tolist(), y.weights, likely, strict=True)
    return [_cut(*row) for row in rows]


def _cut(shown: Board, tokens: list[int], shares: list[float], *looks: Tensor) -> Looked:
    """Return what was said and seen before ``<end>``."""
    count = tokens.index(END) if END in tokens else len(tokens)
    words = [WORDS[token] for token in tokens[:count]]
    return Looked(shown, words, shares[:count], *(look[:count] for look in looks))


def tally(seen: list[Looked]) -> Tally:
    """Count how often a network named both things, and looked at what it named."""
    exact = [each.exact for each in seen]
    pointed = [right for each in seen for right in each.pointed]
    return Tally(sum(exact), len(exact), sum(pointed), len(pointed))


def best(*seen: list[Looked]) -> list[int]:
    """Return the numbers of boards of things unlike in every way, those all are right on first."""

    def wrong(number: int) -> int:
        return sum(not (each[number].exact and all(each[number].pointed)) for each in seen)

    unlike = [number for number, one in enumerate(seen[0]) if _unlike(one.board)]
    return sorted(unlike, key=wrong)  # stable: else in the order in which they were drawn


def _unlike(shown: Board) -> bool:
    one, other = shown.things
    return one.colour != other.colour and one.noun != other.noun
