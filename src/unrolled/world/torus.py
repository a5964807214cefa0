"""Sprites on a torus: who leaves the picture on one side comes in on the other.

Places are taken modulo the picture, so that a shape whose place is drawn evenly is spread evenly in
every frame, however it moves: no frame by itself tells where it came from.
"""

from math import ceil
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from unrolled.errors import ConfigError
from unrolled.world.silhouette import signed_distance

_GRAIN = 256  # places and shares are counted in 256ths: the same bytes whatever a sine rounds to


class Sprite(NamedTuple):
    """One shape over the frames of a clip.

    Shapes: centres_pixels [T, 2], x then y; sizes_pixels [T]; colours [T, 3]; shown [T] bool.
    Args:
        shape: one of ``SHAPES``.
        centres_pixels: its middle, anywhere: taken modulo the picture's sides.
        sizes_pixels: side of the square that it fills.
        colours: red green blue, 0 to 255.
        shown: the frames in which it is there.
    """

    shape: str
    centres_pixels: Float64[np.ndarray, "T 2"]
    sizes_pixels: Float64[np.ndarray, " T"]
    colours: Float64[np.ndarray, "T 3"]
    shown: np.ndarray


def paint_on_torus(
    behind: UInt8[np.ndarray, "3 H W"], sprites: list[Sprite], num_frames: int
) -> UInt8[np.ndarray, "T 3 H W"]:
    """Paint sprites on a background, the first the farthest, with smooth edges.

    Args:
        behind: the background, the same in every frame.
        sprites: the shapes, from the farthest to the nearest.
        num_frames: T.
    Raises:
        ConfigError: a shape is larger than the picture.
    Example:
        >>> everywhere, one = np.ones(1, dtype=np.bool_), np.full((1, 3), 200.0)
        >>> dot = Sprite("square", np.array([[0.0, 4.0]]), np.array([4.0]), one, everywhere)
        >>> paint_on_torus(np.zeros((3, 8, 8), dtype=np.uint8), [dot], 1)[0, 0, 4]
        array([200, 200,   0,   0,   0,   0, 200, 200], dtype=uint8)
    """
    _, H, W = behind.shape
    frames = np.repeat(behind[None], num_frames, axis=0)
    for sprite in sprites:
        window = ceil(sprite.sizes_pixels.max()) + 2
        if window > min(H, W):
            largest = f"{sprite.sizes_pixels.max():.0f} pixels"
            raise ConfigError(f"shapes smaller than the picture of {W} x {H}", largest)
        share, rows, columns = _cover(sprite, window, H, W)
        t = np.arange(num_frames)[:, None, None]
        for channel in range(3):
            before = frames[t, channel, rows, columns]
            colour = sprite.colours[:, channel, None, None]
            mixed = before + (colour - before) * share
            frames[t, channel, rows, columns] = np.floor(mixed + 0.5)
    return frames


def _cover(
    sprite: Sprite, window: int, height: int, width: int
) -> tuple[Float64[np.ndarray, "T S S"], Int64[np.ndarray, "T S 1"], Int64[np.ndarray, "T 1 S"]]:
    """Return how much a sprite covers of the pixels around it, and their rows and columns."""
    centres = np.floor(sprite.centres_pixels * _GRAIN + 0.5) / _GRAIN
    sizes = np.floor(sprite.sizes_pixels * _GRAIN + 0.5) / _GRAIN
    corner = np.floor(centres - window / 2 + 0.5)
    offsets = np.arange(window)
    dx = (corner[:, :1] + offsets + 0.5 - centres[:, :1])[:, None, :]
    dy = (corner[:, 1:] + offsets + 0.5 - centres[:, 1:])[:, :, None]
    outside = signed_distance(sprite.shape, dx, dy, sizes[:, None, None])
    share = np.floor(np.clip(0.5 - outside, 0.0, 1.0) * _GRAIN + 0.5) / _GRAIN
    places = corner.astype(np.int64)[:, :, None] + offsets
    columns, rows = places[:, 0] % width, places[:, 1] % height
    return share * sprite.shown[:, None, None], rows[:, :, None], columns[:, None, :]
