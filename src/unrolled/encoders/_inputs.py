"""What every network over pictures or clips asks of its input, with the cure in the error."""

from typing import Protocol, runtime_checkable

from torch import Tensor

from unrolled.errors import DtypeError, ShapeError


@runtime_checkable
class AsksOfPictures(Protocol):
    """What a picture must have: channels, and at least so many pixels in height and width."""

    input_channels: int
    smallest: int


@runtime_checkable
class AsksOfClips(AsksOfPictures, Protocol):
    """What a clip must have: pictures, and at least so many of them."""

    fewest_frames: int


def check_pictures(x: Tensor, asks: AsksOfPictures) -> None:
    """Raise unless x is float pictures ``[..., C, H, W]`` of enough pixels."""
    channels = asks.input_channels
    if x.ndim < 3 or x.shape[-3] != channels:
        expected = f"x, pictures [..., C={channels}, H, W]"
        raise ShapeError(expected, str(list(x.shape)), _layout_cure(x, channels))
    _check_pixels(x, asks.smallest)


def check_clips(x: Tensor, asks: AsksOfClips) -> None:
    """Raise unless x is float clips ``[B, T, C, H, W]`` of enough frames and pixels."""
    channels = asks.input_channels
    if x.ndim != 5 or x.shape[2] != channels:
        expected = f"x, clips [B, T, C={channels}, H, W]"
        raise ShapeError(expected, str(list(x.shape)), _layout_cure(x, channels))
    _check_pixels(x, asks.smallest)
    if x.shape[1] < asks.fewest_frames:
        expected = f"clips of at least {asks.fewest_frames} frames"
        cure = "sample longer clips, or at a higher frame rate"
        raise ShapeError(expected, f"T={x.shape[1]}", cure)


def _layout_cure(x: Tensor, channels: int) -> str:
    if x.ndim == 5 and x.shape[1] == channels:
        return "it looks like [B, C, T, H, W]: pass x.transpose(1, 2)"
    if x.ndim >= 3 and x.shape[-1] == channels:
        return "it looks like [..., H, W, C]: pass x.movedim(-1, -3)"
    if x.ndim == 4 and x.shape[1] == channels:
        return "it looks like one clip [T, C, H, W]: pass x[None]"
    return ""


def _check_pixels(x: Tensor, smallest: int) -> None:
    if not x.is_floating_point():
        cure = "scale it first, as in x.float() / 255"
        raise DtypeError("x of a floating-point dtype", str(x.dtype), cure)
    if min(x.shape[-2:]) < smallest:
        height, width = x.shape[-2:]
        cure = "resize the pictures"
        raise ShapeError(f"at least {smallest} x {smallest} pixels", f"{height} x {width}", cure)
