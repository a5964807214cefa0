"""First-layer 3D filters as clips: what a network learnt to look for within three frames.

The network is the 3D convolution of the figure ``transitions``, which tells blue-to-orange from
orange-to-blue. Every filter is scaled by its own largest weight; grey is 0.

Source: lecture decks on video networks, "first-layer filters have shape 3 x 4 x 5 x 5: can
view as video clips". Differs: three taps of 3 x 3, as in the decks' small example.
"""

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from unrolled.figures.drawing import GREY, SMALL, slide
from unrolled.figures.transitions import learners
from unrolled.reports.filters import filter_frames, first_filters

_COLUMNS, _TAPS = 4, ("before", "now", "after")
_PLACE = (0.04, 0.08, 0.94, 0.82)


def weight() -> Tensor:
    """Return the trained filters, [12, 3, 3, 3, 3]; those that change most with time first."""
    found = first_filters(learners()["3D convolution"])
    assert found is not None, "its first layer is a 3D convolution"
    change = (found[:, :, -1] - found[:, :, 0]).flatten(1).norm(dim=1)
    return found[change.argsort(descending=True)]


def draw() -> Figure:
    """Draw every filter as its taps side by side."""
    filters = weight()
    figure = slide("First-layer 3D filters: short clips")
    count, _, taps, height, width = filters.shape
    rows = -(-count // _COLUMNS)
    left, bottom, wide, high = _PLACE
    for number in range(count):
        row, column = divmod(number, _COLUMNS)
        place = (left + column * wide / _COLUMNS, bottom + (rows - 1 - row) * high / rows)
        tile = filter_frames(filters[number : number + 1], scale=1)[:, 2:-2, 2:-2]
        gap = np.full((taps, height, 1, 3), 255, dtype=np.uint8)
        strip = np.concatenate(list(np.concatenate([tile, gap], axis=2)), axis=1)[:, :-1]
        axes = figure.add_axes((*place, 0.9 * wide / _COLUMNS, 0.75 * high / rows))
        axes.imshow(strip, interpolation="nearest")
        axes.axis("off")
        for tap, word in enumerate(_TAPS):
            middle = tap * (width + 1) + (width - 1) / 2
            axes.text(middle, -0.8, word, ha="center", fontsize=SMALL, color=GREY)
    size = f"{taps} x {height} x {width}"
    words = f"{count} filters of {size}, each scaled by its largest weight; grey is 0"
    figure.text(0.5, 0.035, words, fontsize=SMALL, color=GREY, ha="center")
    return figure
