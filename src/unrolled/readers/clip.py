"""Frames and the times at which they are shown."""

from typing import NamedTuple

from jaxtyping import Float64, UInt8
from torch import Tensor


class Frame(NamedTuple):
    """One picture of a video.

    Args:
        pixels: red, green and blue, 0 to 255.
        seconds: when it begins to be shown.
    Shapes: pixels ``[C, H, W]``, in any order of memory.
    """

    pixels: UInt8[Tensor, "C H W"]
    seconds: float


class Clip(NamedTuple):
    """Some pictures of a video.

    Args:
        frames: red, green and blue, 0 to 255.
        pts_seconds: when each begins to be shown, as the file has it; the same picture may stand
            several times in a row where it is shown for long.
    Shapes: frames ``[T, C, H, W]``, pts_seconds ``[T]``.
    Example:
        >>> import torch
        >>> clip = Clip(torch.zeros(2, 3, 4, 5, dtype=torch.uint8), torch.zeros(2).double())
        >>> clip.frames.shape
        torch.Size([2, 3, 4, 5])
    """

    frames: UInt8[Tensor, "T C H W"]
    pts_seconds: Float64[Tensor, " T"]
