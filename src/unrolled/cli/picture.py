"""A picture in a terminal: each character is a half block, two pixels one above the other."""

from itertools import groupby, zip_longest
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from jaxtyping import Float64, UInt8
from rich.color import Color
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

from unrolled.errors import ShapeError

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

_UPPER_HALF = "▀"  # the upper pixel is its colour, the lower one its background

Frame: TypeAlias = UInt8[np.ndarray, "H W 3"]


class Picture:
    """Show a frame as half blocks, as large as there is room for: something that rich can print.

    A character is about twice as high as it is wide, which leaves the pixels that it shows square.
    A frame is made smaller where there is no room for it, in proportion, and never larger.

    Shapes: frame [H, W, 3] uint8, red green blue.
    Args:
        frame: the picture.
        max_rows: of characters at most; None is as many as the width asks for.
    Raises:
        ShapeError: the frame is not [H, W, 3] of uint8, or has no pixel.
    Example:
        >>> from rich.console import Console
        >>> console = Console(width=80, color_system="truecolor")
        >>> picture = Picture(np.zeros((64, 128, 3), dtype=np.uint8))
        >>> len(console.render_lines(picture))  # 80 pixels wide, and therefore 40 high
        20
    """

    def __init__(self, frame: Frame, *, max_rows: int | None = None) -> None:
        if frame.dtype != np.uint8 or frame.shape[2:] != (3,) or not frame.size:
            got = f"{frame.dtype} {list(frame.shape)}"
            raise ShapeError("a frame [H, W, 3] of uint8, red green blue", got)
        self.frame = frame
        self.max_rows = max_rows

    def columns(self, room: int) -> int:
        """Return how many characters wide it is where there is room for ``room`` of them."""
        height, width = len(self.frame), len(self.frame[0])
        rows = -(-height // 2) if self.max_rows is None else self.max_rows
        return max(1, min(room, width, 2 * rows * width // height))

    def __rich_measure__(self, _: "Console", options: "ConsoleOptions") -> Measurement:
        columns = self.columns(options.max_width)
        return Measurement(columns, columns)

    def __rich_console__(self, _: "Console", options: "ConsoleOptions") -> "RenderResult":
        height, width, _three = self.frame.shape
        columns = self.columns(options.max_width)
        pixel_rows = max(1, height * columns // width)
        if self.max_rows is not None:
            pixel_rows = min(pixel_rows, 2 * self.max_rows)  # of a picture as narrow as can be
        pixels = resized(self.frame, pixel_rows, columns).tolist()
        for upper, lower in zip_longest(pixels[::2], pixels[1::2]):
            pairs = list(zip_longest(upper, lower or []))
            for pair, same in groupby(pairs):
                yield Segment(_UPPER_HALF * len(list(same)), _style(*pair))
            yield Segment.line()


def can_show(console: "Console") -> bool:
    """Say whether pictures can be shown: on a terminal, in colours, with the character for it."""
    try:
        _UPPER_HALF.encode(console.encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return console.is_terminal and console.color_system is not None and not console.no_color


def resized(frame: Frame, height: int, width: int) -> Frame:
    """Return a frame in another size: each pixel is the mean of the area that it stands for.

    Example:
        >>> resized(np.array([[[0] * 3, [90] * 3, [30] * 3, [50] * 3]], dtype=np.uint8), 1, 2)
        array([[[45, 45, 45],
                [40, 40, 40]]], dtype=uint8)
    """
    if frame.shape[:2] == (height, width):
        return frame
    rows, columns = _shares(frame.shape[0], height), _shares(frame.shape[1], width)
    means = np.einsum("hy,yxc,wx->hwc", rows, frame, columns, optimize=True)
    return np.asarray(np.floor(means + 0.5), dtype=np.uint8)


def _shares(old: int, new: int) -> Float64[np.ndarray, "new old"]:
    """Return how much of each of ``new`` pixels each of the ``old`` ones makes up."""
    edges = np.arange(new + 1)[:, None] * (old / new)
    ends = np.minimum(edges[1:], np.arange(1, old + 1))
    starts = np.maximum(edges[:-1], np.arange(old))
    return np.asarray(np.maximum(ends - starts, 0.0) * (new / old))


def _style(upper: list[int], lower: list[int] | None) -> Style:
    background = None if lower is None else Color.from_rgb(*lower)
    return Style.from_color(Color.from_rgb(*upper), background)
