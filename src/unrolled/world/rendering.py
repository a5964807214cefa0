"""Pictures of shapes: painted from the nearest to the farthest, with smooth edges.

How much of a pixel a shape covers is counted in 256ths, so that all later sums are exact, and the
bytes of a picture the same, whatever order a machine adds in.
"""

from math import ceil
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from unrolled.world.draws import Draws
from unrolled.world.silhouette import signed_distance

Array = Float64[np.ndarray, "..."]

PALETTE = {
    "red": (225, 45, 45),
    "green": (50, 185, 70),
    "blue": (55, 100, 240),
    "yellow": (245, 210, 45),
}
_RIM = 0.09  # width of a shape's darker rim, as a share of its size
_PATCHES = 5  # of the background, along each side


class Painted(NamedTuple):
    """Pictures, and how much of each shape is seen in them.

    Shapes: frames [F, 3, H, W]; within [F, N], share of a shape's area inside the frame;
        visible [F, N], share that is inside the frame and not hidden.
    """

    frames: UInt8[np.ndarray, "F 3 H W"]
    within: Array
    visible: Array


def background(height: int, width: int, draws: Draws) -> UInt8[np.ndarray, "3 H W"]:
    """Return a smooth, nearly grey texture."""
    grey = draws.uniform(60.0, 135.0, 1, _PATCHES, _PATCHES)
    knots = grey + draws.uniform(-9.0, 9.0, 3, _PATCHES, _PATCHES)
    y, x = _between(height), _between(width)
    rows = knots[:, y.at] * (1 - y.share)[:, None] + knots[:, y.at + 1] * y.share[:, None]
    smooth = rows[:, :, x.at] * (1 - x.share) + rows[:, :, x.at + 1] * x.share
    return np.asarray(np.floor(smooth + 0.5), dtype=np.uint8)


class _Between(NamedTuple):
    """The knot before each pixel, and how far on to the next one it lies."""

    at: Int64[np.ndarray, " L"]
    share: Float64[np.ndarray, " L"]


def _between(length: int) -> _Between:
    places = (np.arange(length) + 0.5) * ((_PATCHES - 1) / length)
    at = places.astype(np.int64)
    share = places - at
    return _Between(at, share * share * (3 - 2 * share))


def paint(
    behind: UInt8[np.ndarray, "3 H W"],
    colours: list[str],
    shapes: list[str],
    centres: Float64[np.ndarray, "F N 2"],
    sizes: Float64[np.ndarray, "F N"],
    order: list[int],
) -> Painted:
    """Paint shapes on a background.

    Args:
        behind: the background.
        colours: a name of ``PALETTE`` for each shape.
        shapes: one of ``SHAPES`` for each.
        centres: in pixels.
        sizes: in pixels.
        order: the shapes from the nearest to the farthest.
    """
    F, N, _ = centres.shape
    _, H, W = behind.shape
    window = ceil(sizes.max(initial=0.0)) + 3
    outside = max(-centres.min(initial=0.0), (centres - [W, H]).max(initial=0.0))
    border = ceil(outside) + window // 2 + 2  # room on the canvas for who is outside
    frame = np.pad(np.ones((H, W)), border)
    light = np.zeros((3, F, *frame.shape))
    uncovered = np.repeat(frame[None], F, axis=0)
    within, visible = np.zeros((F, N)), np.zeros((F, N))
    for n in order:
        cover, body, spots = _cover(shapes[n], centres[:, n], sizes[:, n], window, border, W)
        area = cover.sum(axis=(1, 2))
        within[:, n] = (cover * frame.reshape(-1)[spots]).sum(axis=(1, 2)) / area
        spots += np.arange(F)[:, None, None] * frame.size
        seen = uncovered.reshape(-1)[spots]
        visible[:, n] = (cover * seen).sum(axis=(1, 2)) / area
        uncovered.reshape(-1)[spots] = seen * (1 - cover)
        for channel, full in enumerate(PALETTE[colours[n]]):
            shade = body * full + (cover - body) * (full // 2)
            light[channel].reshape(-1)[spots] += seen * shade
    inner = np.s_[:, border:-border, border:-border]
    pictures = np.empty((F, 3, H, W), dtype=np.uint8)
    for channel in range(3):
        shown = light[channel][inner] + uncovered[inner] * behind[channel]
        pictures[:, channel] = np.floor(shown + 0.5)
    return Painted(pictures, within, visible)


def _cover(
    shape: str, centres: Array, sizes: Array, window: int, border: int, width: int
) -> tuple[Array, Array, Int64[np.ndarray, "F S S"]]:
    """Return what a shape covers of the pixels around it, with its rim and without, and which."""
    corner = np.floor(centres - window / 2 + 0.5)
    offsets = np.arange(window)
    dx = (corner[:, :1] + offsets + 0.5 - centres[:, :1])[:, None, :]
    dy = (corner[:, 1:] + offsets + 0.5 - centres[:, 1:])[:, :, None]
    size = sizes[:, None, None]
    outside = signed_distance(shape, dx, dy, size)
    left, top = (corner + border).astype(np.int64).T
    rows = (top[:, None] + offsets) * (width + 2 * border)
    spots = rows[:, :, None] + (left[:, None] + offsets)[:, None, :]
    return _share(outside), _share(outside + np.maximum(_RIM * size, 1.0)), spots


def _share(outside: Array) -> Array:
    """Return how much of a pixel is covered, in 256ths, by how far outside its middle is."""
    return np.asarray(np.floor(np.clip(0.5 - outside, 0.0, 1.0) * 256 + 0.5) / 256)
