"""What is behind the shapes of a scene: a grey wall, plain or with a faint pattern."""

import numpy as np
from jaxtyping import UInt8

from unrolled.world.draws import Draws
from unrolled.world.rendering import background

_CALM, _GREY = 0.35, 90.0  # how much of a smooth texture is left, and around what
_DEPTH = 22.0  # of a pattern, in grey levels to either side
_PERIOD = 0.125  # of the shorter side


def draw_wall(wall: str, height: int, width: int, draws: Draws) -> UInt8[np.ndarray, "3 H W"]:
    """Return a wall of a kind.

    Args:
        wall: plain, striped, dotted or checked.
        height: in pixels.
        width: in pixels.
        draws: where the pattern begins.
    Example:
        >>> draw_wall("striped", 32, 48, Draws(0)).shape
        (3, 32, 48)
    """
    smooth = _GREY + _CALM * (background(height, width, draws) - _GREY)
    period = max(4, round(_PERIOD * min(height, width)))
    x, y = (draws.below(period, 2)[:, None] + np.arange(max(height, width)))[:, :]
    x, y = x[:width] % period, y[:height, None] % period
    return np.asarray(np.floor(smooth + _DEPTH * _pattern(wall, x, y, period)), dtype=np.uint8)


def _pattern(wall: str, x: np.ndarray, y: np.ndarray, period: int) -> np.ndarray:
    """Return a pattern from -1 to 1 of places within a period."""
    half = period // 2
    match wall:
        case "striped":
            return np.where(y < half, 1.0, -1.0) + 0.0 * x
        case "checked":
            return np.where((y < half) == (x < half), 1.0, -1.0)
        case "dotted":
            away = (x - half) ** 2 + (y - half) ** 2
            return np.where(4 * away <= half * half, 1.6, -0.4)
    return np.zeros((len(y), len(x)))
