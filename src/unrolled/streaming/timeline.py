"""Probabilities as time goes by, as a picture: each class has a colour, and each frame a column."""

import colorsys
from collections import deque
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

_GOLDEN_RATIO = 0.618034  # hues that many steps apart are never near each other
_IDLE = (90, 90, 90)
_EMPTY = 20


class Timeline:
    """The last columns of probabilities, stacked: the area of a colour is the share of its class.

    Shapes: picture [height, columns, 3] uint8, red green blue; the newest frame is at the right.
    Args:
        class_names: in the order of the probabilities.
        columns: how many frames there is room for.
        background: the class that is drawn in grey.
    Source: none.
    Example:
        >>> timeline = Timeline(("left", "right"), columns=3)
        >>> timeline.add([0.75, 0.25])
        >>> timeline.picture(4)[:, 2].tolist() == [list(timeline.colours[1])] + 3 * [
        ...     list(timeline.colours[0])
        ... ]
        True
    """

    def __init__(
        self, class_names: Sequence[str], *, columns: int, background: str | None = None
    ) -> None:
        self.colours = [
            _IDLE if name == background else _colour(number)
            for number, name in enumerate(class_names)
        ]
        self._columns: deque[list[float]] = deque(maxlen=columns)

    def add(self, probabilities: Sequence[float]) -> None:
        """Take the probabilities of the next frame."""
        self._columns.append(list(probabilities))

    def picture(self, height: int) -> UInt8[np.ndarray, "height columns 3"]:
        """Return the timeline as it stands, the first class at the bottom."""
        width = self._columns.maxlen or 1
        picture = np.full((height, width, 3), _EMPTY, dtype=np.uint8)
        if self._columns:
            stacked = np.cumsum(np.array(self._columns), axis=1)  # [frames, classes]
            middles = (np.arange(height)[::-1] + 0.5) / height  # of the rows, the lowest last
            numbers = (stacked[:, None, :] <= middles[:, None]).sum(-1)  # [frames, height]
            numbers = numbers.clip(max=len(self.colours) - 1)
            colours = np.array(self.colours, dtype=np.uint8)
            picture[:, width - len(self._columns) :] = colours[numbers].transpose(1, 0, 2)
        return picture


def _colour(number: int) -> tuple[int, int, int]:
    hue = (0.08 + number * _GOLDEN_RATIO) % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.65, 0.95)
    return round(255 * red), round(255 * green), round(255 * blue)
