"""The outlines of circles, squares, triangles and crosses: how far a pixel, or a shape, is away.

Only +, -, *, / and square roots are used, which are exact to the last bit on every machine.
"""

import numpy as np
from jaxtyping import Float64

Array = Float64[np.ndarray, "..."]

_ROOT_5 = float(np.sqrt(5.0))


def signed_distance(shape: str, dx: Array, dy: Array, size: Array) -> Array:
    """Return how far points outside a shape are from it, negative inside (a corner counts less).

    Args:
        shape: one of ``SHAPES``, or a cross.
        dx: x of the points, from the shape's centre.
        dy: y of the points, downward.
        size: side of the square that the shape fills.

    Example:
        >>> signed_distance("square", np.array([0.0, 5.0]), np.zeros(2), np.array(6.0))
        array([-3.,  2.])
    """
    half = size / 2
    if shape == "circle":
        return np.asarray(np.sqrt(dx * dx + dy * dy) - half)
    if shape == "square":
        return np.asarray(np.maximum(np.abs(dx), np.abs(dy)) - half)
    if shape == "cross":  # two bars, each a third of the square across
        across, along = np.abs(dx), np.abs(dy)
        longer, shorter = np.maximum(across, along), np.minimum(across, along)
        return np.asarray(np.maximum(longer - half, shorter - half / 3))
    return np.asarray(np.maximum((2 * np.abs(dx) - dy - half) / _ROOT_5, dy - half))


def support(shape: str, directions: Float64[np.ndarray, "M 2"]) -> Float64[np.ndarray, " M"]:
    """Return how far a shape of size 1 reaches from its centre in each direction (unit vectors)."""
    x, y = np.abs(directions[:, 0]), directions[:, 1]
    if shape == "circle":
        return np.full(len(directions), 0.5)
    if shape == "square":
        return np.asarray((x + np.abs(y)) / 2)
    return np.asarray(np.maximum(-y, x + y) / 2)


def _directions() -> Float64[np.ndarray, "M 2"]:
    """Return unit vectors all around, those across every side of every shape among them."""
    t = np.linspace(-1.0, 1.0, 33)  # the rational circle: no sine is the same on all machines
    half = np.stack([(1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)], axis=1)
    slants = np.array([[2.0, 1.0], [2.0, -1.0]]) / _ROOT_5
    right = np.concatenate([half, slants])
    return np.concatenate([right, -right])


DIRECTIONS = _directions()


def reach(a: str, size_a: float, b: str, size_b: float) -> Float64[np.ndarray, " M"]:
    """Return the least distance along each of ``DIRECTIONS`` at which a is clear of b.

    a is clear of b if ``(centre of a - centre of b) . DIRECTIONS[m] >= reach[m]`` for any m.
    """
    return support(b, DIRECTIONS) * size_b + support(a, -DIRECTIONS) * size_a


def gap(between: Float64[np.ndarray, "... 2"], reached: Float64[np.ndarray, " M"]) -> Array:
    """Return the gap between two shapes, negative if they overlap.

    Args:
        between: centre of the one minus centre of the other.
        reached: ``reach`` of the two.

    Example:
        >>> gap(np.array([10.0, 0.0]), reach("circle", 6.0, "square", 8.0))
        array(3.)
    """
    x, y = between[..., :1], between[..., 1:]
    along = x * DIRECTIONS[:, 0] + y * DIRECTIONS[:, 1]
    return np.asarray((along - reached).max(axis=-1))


def contact(toward: Float64[np.ndarray, "K 2"], reached: Float64[np.ndarray, " M"]) -> Array:
    """Return how far from b's centre a's centre is when a, coming ``toward`` it, touches.

    Args:
        toward: unit vectors of a's motion.
        reached: ``reach`` of the two.
    """
    facing = -(toward[:, :1] * DIRECTIONS[:, 0] + toward[:, 1:] * DIRECTIONS[:, 1])
    with np.errstate(divide="ignore"):
        distances = np.where(facing > 0, reached / np.where(facing > 0, facing, 1.0), np.inf)
    return np.asarray(distances.min(axis=-1))
