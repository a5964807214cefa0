"""Who plays in a story: from a story's deeds to objects with a colour, a shape and a size."""

from typing import NamedTuple

from unrolled.world.draws import Draws
from unrolled.world.narration import Deed

_LEAST, _GREATEST, _STEP = 0.15, 0.23, 0.05  # sizes, as shares of the stage's shorter side
_CHANGES = {"grows": 1, "shrinks": -1}


class Actor(NamedTuple):
    """A shape from entering to leaving.

    Args:
        id: a number of its own.
        name: such as "red circle".
        size: with which it comes, in pixels.
        step: by how many pixels it grows or shrinks at a time.
    """

    id: int
    name: str
    size: float
    step: float

    @property
    def colour(self) -> str:
        """One of ``COLOURS``."""
        return self.name.split()[0]

    @property
    def shape(self) -> str:
        """One of ``SHAPES``."""
        return self.name.split()[1]

    def change(self, verb: str) -> float:
        """Return by how many pixels an event makes it larger."""
        return self.step * _CHANGES.get(verb, 0)


def cast(opening: tuple[str, ...], deeds: list[Deed], scale: int, draws: Draws) -> list[Actor]:
    """Return the actors of a story in the order in which they come, those there already first.

    However often one grows, it stays within the same bounds: the steps are as small as it takes.

    Args:
        opening: the names of those that are there already.
        deeds: the story.
        scale: the stage's shorter side in pixels.
        draws: of the sizes.
    """
    names, levels = list(opening), [[0] for _ in opening]
    playing = {name: n for n, name in enumerate(opening)}
    for deed in deeds:
        if deed.verb == "enters":
            playing[deed.who] = len(names)
            names.append(deed.who)
            levels.append([0])
        found = levels[playing[deed.who]]
        found.append(found[-1] + _CHANGES.get(deed.verb, 0))
    actors: list[Actor] = []
    for name, level in zip(names, levels, strict=True):
        span = max(level) - min(level)
        step = min(_STEP, (_GREATEST - _LEAST) / max(span, 1))
        size = draws.uniform(_LEAST - min(level) * step, _GREATEST - max(level) * step)
        actors.append(Actor(len(actors), name, scale * float(size), scale * step))
    return actors
