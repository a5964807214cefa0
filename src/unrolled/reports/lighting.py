"""A picture lit where a network looks: smooth, and visible on bright and on dark pictures."""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from unrolled.errors import ShapeError

# What is looked at keeps its colours, mixed with the glow; the rest is grey and dark. Whatever the
# picture, a pixel is lighter lit than unlit: nothing hangs on telling colours apart.
_GLOW, _GLOW_SHARE = np.array([255, 226, 120]), 0.28
_DIM_SHARE, _DIM_FLOOR = 0.38, 14
_LUMINANCE = np.array([0.299, 0.587, 0.114])
_SPREAD = 0.5  # standard deviation of the smoothing, in places of the grid

Grid = tuple[int, int]  # H', W' of the places that are looked at


def smooth_attention(
    weights: Float[Tensor, " L"], grid: Grid, height: int, width: int
) -> Float[Tensor, "H W"]:
    """Return how much every pixel is looked at, from 0 to 1 where it is looked at most.

    The weight of a place spreads as a Gaussian around it; equal weights light the whole picture.

    Args:
        weights: of the places, row by row.
        grid: H' and W', how many places there are, down and across.
        height: of the picture, in pixels.
        width: of the picture, in pixels.
    Raises:
        ShapeError: there are not H' W' weights.
    Example:
        >>> smooth_attention(torch.tensor([0.0, 0.0, 0.0, 1.0]), (2, 2), 2, 4).round(decimals=2)
        tensor([[0.0100, 0.0400, 0.1000, 0.1400],
                [0.0500, 0.2800, 0.7700, 1.0000]])
    """
    rows, columns = grid
    if len(weights) != rows * columns:
        raise ShapeError(f"{rows} x {columns} = {rows * columns} weights", str(len(weights)))
    down, across = _spread(rows, height), _spread(columns, width)
    shares = down @ weights.detach().cpu().double().view(rows, columns) @ across.T
    return (shares / shares.max().clamp(min=1e-300)).to(weights.dtype)


def lit(
    pixels: UInt8[Tensor, "3 H W"], share: Float[Tensor, "#H #W"]
) -> UInt8[np.ndarray, "H W 3"]:
    """Return a picture in which what is looked at is lit, and the rest is dark and grey.

    Args:
        pixels: of the picture.
        share: how much each pixel is looked at, from 0 to 1, as ``smooth_attention`` gives it.
    Example:
        >>> black = torch.zeros(3, 2, 2, dtype=torch.uint8)
        >>> lit(black, torch.tensor([[0.0, 1.0]]))[0].tolist()
        [[14, 14, 14], [71, 63, 34]]
    """
    colours = pixels.permute(1, 2, 0).cpu().numpy()
    bright = (1 - _GLOW_SHARE) * colours + _GLOW_SHARE * _GLOW
    dim = _DIM_SHARE * (colours @ _LUMINANCE)[..., None] + _DIM_FLOOR
    light = share.detach().cpu().numpy()[..., None]
    return np.asarray(np.rint(dim + light * (bright - dim)), dtype=np.uint8)


def _spread(places: int, pixels: int) -> Float[Tensor, "pixels places"]:
    """Return how much each pixel takes of each place along one side; a pixel's shares sum to 1."""
    at = (torch.arange(pixels, dtype=torch.float64) + 0.5) * (places / pixels)
    distance = at[:, None] - (torch.arange(places) + 0.5)
    return (-(distance**2) / (2 * _SPREAD**2)).softmax(dim=1)
