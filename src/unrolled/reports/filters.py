"""The filters of a first 3D convolution as small moving pictures."""

import io
from base64 import b64encode
from math import ceil, sqrt

import numpy as np
from jaxtyping import UInt8
from markupsafe import Markup
from PIL import Image
from torch import Tensor, nn

from unrolled.errors import ShapeError

_GAP = 2  # pixels between filters, before they are enlarged
_GREY = 128
_MILLISECONDS = 250  # that a tap is shown


def first_filters(module: nn.Module) -> Tensor | None:
    """Return the first weight that convolves pictures over time, ``[D, C, K, kh, kw]``, or None.

    Args:
        module: a network over clips; its parameters are looked through in order.
    Example:
        >>> first_filters(nn.Sequential(nn.Conv3d(3, 5, (2, 7, 7)), nn.Conv3d(5, 3, 3))).shape
        torch.Size([5, 3, 2, 7, 7])
    """
    for parameter in module.parameters():
        if parameter.ndim == 5 and parameter.shape[1] in (1, 3) and parameter.shape[2] > 1:
            return parameter.detach()
    return None


def filter_frames(
    weight: Tensor, *, columns: int | None = None, scale: int = 8
) -> UInt8[np.ndarray, "K H W 3"]:
    """Return filters side by side as a film, one frame a tap: grey is 0, the first the oldest.

    Every filter is scaled by its own largest weight, so that faint ones are seen as well.

    Shapes: weight [D, C, K, kh, kw], C 1 or 3; frames [K, H, W, 3] uint8.
    Args:
        weight: of a 3D convolution over pictures.
        columns: filters beside each other; None makes the picture about square.
        scale: pixels of the film that one weight takes, across and down.
    Raises:
        ShapeError: the weight is not that of a 3D convolution over grey or coloured pictures.
    Source: lecture decks on video networks, "can view as video clips", after Karpathy et al. 2014,
        fig. 4 (first-layer filters of a slow-fusion network).
    Example:
        >>> filter_frames(nn.Conv3d(3, 6, (4, 5, 5)).weight, scale=8).shape
        (4, 128, 184, 3)
    """
    if weight.ndim != 5 or weight.shape[1] not in (1, 3):
        cure = "give the first layer's weight, as first_filters does"
        raise ShapeError("filters [D, C, K, kh, kw] with C 1 or 3", str(list(weight.shape)), cure)
    taps = weight.detach().float().expand(-1, 3, -1, -1, -1).permute(0, 2, 3, 4, 1)
    largest = taps.abs().amax(dim=(1, 2, 3, 4), keepdim=True).clamp(min=1e-12)
    tiles = (_GREY + taps / largest * (_GREY - 1)).round().byte().numpy()
    D, K, height, width, _ = tiles.shape
    columns = min(D, columns or ceil(sqrt(D)))
    rows = ceil(D / columns)
    size = (K, rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3)
    frames = np.full(size, 255, dtype=np.uint8)
    for number, tile in enumerate(tiles):
        top = _GAP + number // columns * (height + _GAP)
        left = _GAP + number % columns * (width + _GAP)
        frames[:, top : top + height, left : left + width] = tile
    return np.asarray(frames.repeat(scale, axis=1).repeat(scale, axis=2))


def filters_gif(weight: Tensor, *, columns: int | None = None, scale: int = 8) -> bytes:
    """Return filters as an animated GIF that goes on for ever, the same bytes every time.

    Args:
        weight: ``[D, C, K, kh, kw]``, see ``filter_frames``.
        columns: filters beside each other.
        scale: pixels that one weight takes.
    Raises:
        ShapeError: see ``filter_frames``.
    Example:
        >>> filters_gif(nn.Conv3d(3, 6, (4, 5, 5)).weight)[:6]
        b'GIF89a'
    """
    frames = filter_frames(weight, columns=columns, scale=scale)
    first, *others = (Image.fromarray(frame) for frame in frames)
    file = io.BytesIO()
    first.save(
        file,
        "GIF",
        save_all=True,
        append_images=others,
        duration=_MILLISECONDS,
        loop=0,
        optimize=False,
    )
    return file.getvalue()


def draw_filters(module: nn.Module) -> Markup | None:
    """Return a network's first 3D filters as an element of a page; None where it has none."""
    weight = first_filters(module)
    if weight is None:
        return None
    D, _, K, height, width = weight.shape
    address = "data:image/gif;base64," + b64encode(filters_gif(weight)).decode()
    words = f"{D} filters of {K} x {height} x {width}, one frame a tap"
    return Markup('<img class="filters" src="{}" alt="{}">').format(address, words)
