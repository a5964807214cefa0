"""What there is to move: the stage, the cue for an event, and the motion that comes of it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from unrolled.world.narration import Deed

Array = Float64[np.ndarray, "..."]

HEADINGS = {"left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}


@dataclass(frozen=True)
class Stage:
    """The frame as a place to move in.

    Args:
        height: of the frame in pixels.
        width: of the frame in pixels.
        frames: how many an event takes.
    """

    height: int
    width: int
    frames: int

    @property
    def scale(self) -> int:
        """The shorter side, which all lengths are shares of."""
        return min(self.height, self.width)

    @property
    def clearance(self) -> float:
        """How far the squares of two shapes stay apart, in x or in y."""
        return 0.035 * self.scale

    @property
    def margin(self) -> float:
        """How far a shape on the stage stays from the frame's edge."""
        return 0.016 * self.scale

    def room(self, sizes: Array) -> tuple[Array, Array]:
        """Return the least and greatest centres ``[..., 2]`` of shapes inside the frame."""
        least = np.stack([sizes / 2 + self.margin] * 2, axis=-1)
        return least, np.array([self.width, self.height], dtype=np.float64) - least


class Cue(NamedTuple):
    """What is to be moved: the event, who stands where, and how large.

    Shapes: centres [N, 2], before and after [N] sizes.
    """

    deed: Deed
    shapes: list[str]
    centres: Array
    before: Array
    after: Array
    who: int
    other: int | None


class Motion(NamedTuple):
    """Where everybody is at each frame's end, the moment before the first one put in front.

    Shapes: centres [F + 1, N, 2]; sizes [F + 1, N].
    """

    centres: Array
    sizes: Array


def smooth(time: Array) -> Array:
    """Ease in and out."""
    return np.asarray(time * time * (3 - 2 * time))
