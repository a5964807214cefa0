"""What a clip is: frames, the ground truth in every frame, the events, and the narration."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, UInt8

from unrolled.world.narration import Deed, Narration

FRAME_RATE_HZ = 12.0


class Point(NamedTuple):
    """A place or a displacement in pixels: x to the right, y down, (0, 0) the top left corner."""

    x: float
    y: float


class Box(NamedTuple):
    """A rectangle in pixels, the part of it that lies in the frame: x and y of two corners."""

    left: float
    top: float
    right: float
    bottom: float


class ClipObject(NamedTuple):
    """One shape in one frame; it is listed while any of it is in the frame, hidden or not.

    A shape fills a square: a circle touches its four sides, a triangle stands on the lowest.

    Args:
        id: the same from entering to leaving; whoever comes again is given a new one.
        colour: one of ``COLOURS``.
        shape: one of ``SHAPES``.
        centre_pixels: middle of the square that the shape fills, in or out of the frame.
        size_pixels: side of that square.
        velocity_pixels_per_frame: how far the centre has come since the frame before.
        box_pixels: the part of the square that lies in the frame.
        visible_share: of the shape's area, what is neither outside the frame nor hidden.
        depth: 0 for the nearest; a shape hides those of greater depth.
    """

    id: int
    colour: str
    shape: str
    centre_pixels: Point
    size_pixels: float
    velocity_pixels_per_frame: Point
    box_pixels: Box
    visible_share: float
    depth: int

    @property
    def name(self) -> str:
        """The name that the narration knows it by, such as "red circle"."""
        return f"{self.colour} {self.shape}"


@dataclass(frozen=True)
class Event:
    """One sentence of the narration, and the frames in which it is seen.

    Args:
        deed: what happens.
        who_id: id of the object that does it.
        other_id: id of the object that it is done to, if there is one.
        start_frame: the first frame.
        end_frame: the frame after the last, so that ``frames[start_frame:end_frame]`` shows it.
    """

    deed: Deed
    who_id: int
    other_id: int | None
    start_frame: int
    end_frame: int

    @property
    def sentence(self) -> str:
        """The event as the narration tells it."""
        return self.deed.sentence


@dataclass(frozen=True, eq=False)
class Clip:
    """A short film of moving shapes, with everything that is true of it.

    Shapes: frames [T, 3, H, W] uint8, red green blue; pts_seconds [T]; objects, T of them.
    Args:
        frames: the pictures.
        pts_seconds: when each is shown: its number divided by ``FRAME_RATE_HZ``.
        objects: for each frame the shapes in it, in the order in which they came.
        events: one after the other, without gaps.
        opening: the names of those on the stage before the first event.
        narration: the text, one sentence an event, and its information given the opening.
    """

    frames: UInt8[np.ndarray, "T 3 H W"]
    pts_seconds: Float64[np.ndarray, " T"]
    objects: tuple[tuple[ClipObject, ...], ...]
    events: tuple[Event, ...]
    opening: tuple[str, ...]
    narration: Narration

    @property
    def text(self) -> str:
        """The narration's text."""
        return self.narration.text
