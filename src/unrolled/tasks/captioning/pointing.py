"""Whether attention falls on what a word names, where the boxes of objects are known."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.tasks.captioning.model import Caption
from unrolled.world.clip import Box
from unrolled.world.scene_grammar import SceneObject


class Look(NamedTuple):
    """Where a model looked as it said the name of an object.

    Args:
        word: the name.
        hit: whether the place it looked at most lies in a box of an object of that name.
        inside: the share of its attention in such boxes.
    """

    word: str
    hit: bool
    inside: float


class Pointing(NamedTuple):
    """How attention fell on what was named.

    Args:
        words: names that were said of objects that there are.
        accuracy: the share of them for which the place looked at most lies in the object's box.
        inside: the mean share of attention in the box.
        chance: what the same share would be if every place were looked at alike.
    """

    words: int
    accuracy: float
    inside: float
    chance: float


def looks_of(
    caption: Caption, objects: Sequence[SceneObject], size: tuple[int, int]
) -> list[tuple[Look, float]]:
    """Return where a model looked for each name, and the share of places in the object's box.

    A name that several objects share is theirs alone whose colour stands before it; otherwise each
    of their boxes will do. What is not there cannot be looked at, and is left out.

    Args:
        caption: of a picture, with weights.
        objects: of the picture.
        size: height and width of the picture, which the boxes are in.
    """
    found: list[tuple[Look, float]] = []
    if caption.weights is None or caption.grid is None:
        return found
    for place, word in enumerate(caption.words):
        meant = [thing for thing in objects if thing.noun == word]
        before = caption.words[place - 1] if place else ""
        meant = [thing for thing in meant if thing.colour == before] or meant
        if not meant:
            continue
        inside = torch.stack([_places_in(t.box, caption.grid, size) for t in meant]).any(0)
        weights = caption.weights[place]
        share = float(weights[inside].sum() / weights.sum())
        hit = bool(inside[int(weights.argmax())])
        found.append((Look(word, hit, share), float(inside.double().mean())))
    return found


def pointing(looks: Sequence[tuple[Look, float]]) -> Pointing | None:
    """Return the means of all looks; None where there are none."""
    if not looks:
        return None
    count = len(looks)
    return Pointing(
        count,
        sum(look.hit for look, _ in looks) / count,
        sum(look.inside for look, _ in looks) / count,
        sum(chance for _, chance in looks) / count,
    )


def _places_in(box: Box, grid: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Return which places ``[L]`` have their centres in a box; the nearest one, if none has."""
    rows, columns = grid
    y = (torch.arange(rows) + 0.5) * size[0] / rows
    x = (torch.arange(columns) + 0.5) * size[1] / columns
    inside = ((y >= box.top) & (y <= box.bottom))[:, None] & ((x >= box.left) & (x <= box.right))
    if not inside.any():
        down = (y - (box.top + box.bottom) / 2).square()
        across = (x - (box.left + box.right) / 2).square()
        inside.view(-1)[int((down[:, None] + across).argmin())] = True
    return inside.flatten()
