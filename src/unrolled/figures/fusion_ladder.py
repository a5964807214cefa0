"""Four ways to look at time: which frames reach one place of every layer, and what it sees.

The networks are the decks' small example at their own sizes; dark marks are the frames from which,
layer by layer, something arrives at the mark on top. Sizes, receptive fields and parameters are
those of the networks, found by following an input through them.

Source: Karpathy et al. 2014, "Large-scale video classification with convolutional neural networks",
fig. 1; the lecture decks' table of late fusion, early fusion and 3D CNN.
"""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from unrolled.diagnostics.anatomy import LayerRow, anatomy
from unrolled.diagnostics.census import count_parameters
from unrolled.encoders import DeckEarlyFusion, DeckLateFusion, DeckSlowFusion
from unrolled.figures.drawing import BLUE, GREEN, GREY, INPUT, OUTPUT, RED, SMALL, board, slide

NUM_FRAMES, SIDE = 20, 64
_SHAPE = (NUM_FRAMES, 3, SIDE, SIDE)
_LAYERS = ("conv1", "pool", "conv2")
_RISE, _PALE = 5.3, "#CFCFCF"


@dataclass(frozen=True)
class Way:
    """One way to look at time.

    Args:
        name: of the way.
        colour: of what reaches the top.
        network: the example of it.
        after: what stands behind the convolutions, in words.
    """

    name: str
    colour: str
    network: nn.Module
    after: str


def ways() -> list[Way]:
    """Return the four, with networks of random weights."""
    return [
        Way("single frame", GREY, DeckLateFusion(), "class each,\nthen mean"),
        Way("late fusion", GREEN, DeckLateFusion(), "mean,\nthen class"),
        Way("early fusion", RED, DeckEarlyFusion(clip_frames=NUM_FRAMES), "mean,\nthen class"),
        Way("slow fusion (3D)", BLUE, DeckSlowFusion(), "mean,\nthen class"),
    ]


def rows(network: nn.Module) -> list[LayerRow]:
    """Return the layers that the table of the decks has."""
    found = {row.name: row for row in anatomy(network, "TCHW", _SHAPE).layers}
    return [found[name] for name in _LAYERS]


def frames_seen(row: LayerRow) -> int:
    """Return how many frames one place of a layer sees: all of them where time is gone."""
    return row.field.get("T", NUM_FRAMES)


def draw() -> Figure:
    """Draw the four side by side."""
    figure = slide("Four ways to look at time")
    for number, way in enumerate(ways()):
        left = 0.02 + 0.245 * number
        axes = board(figure, width=20.6, height=25.4, place=(left, 0.34, 0.225, 0.57))
        table = rows(way.network)
        _draw_layers(axes, way, table)
        _write_table(figure, left, way, table)
    words = (
        "size: channels, frames, rows, columns; "
        "sees: frames, rows and columns of the clip that one value depends on"
    )
    figure.text(0.5, 0.035, words, ha="center", fontsize=SMALL, color=GREY)
    return figure


def _draw_layers(axes: Axes, way: Way, table: list[LayerRow]) -> None:
    """Draw each layer's places in time, and what the middle one of the last sees of each."""
    counts = [NUM_FRAMES, *(row.output.get("T", 1) for row in table)]
    spans = [1, *(frames_seen(row) for row in table)]
    places = [_places(count) for count in counts]
    middle = places[-1][len(places[-1]) // 2]
    strides = [NUM_FRAMES / count for count in counts]
    top = spans[-1]
    reached: list[list[float]] = []
    for level, there in enumerate(places):
        # What it sees of the clip, less what one place of that level sees, are the places between.
        reach = (top - spans[level]) / 2 + 0.01
        reached.append(
            [x for x in there if abs(x - middle) <= max(reach, strides[level] / 2 - 0.4)]
        )
    for level in range(1, len(places)):
        _connect(axes, way, places, reached, spans, level)
    for level, there in enumerate(places):
        for x in there:
            dark = x in reached[level]
            colour = (INPUT if level == 0 else way.colour) if dark else "white"
            edge = colour if dark else "#BBBBBB"
            axes.plot(x, 1 + level * _RISE, "o", ms=8, mfc=colour, mec=edge, mew=1.2, zorder=3)
    y = 1 + (len(places) - 1) * _RISE
    axes.text(10.3, y + 1.3, way.after, ha="center", va="bottom", fontsize=12, color=OUTPUT)
    axes.text(10.3, 25.0, way.name, ha="center", va="top", fontsize=16, fontweight="bold")


def _connect(
    axes: Axes,
    way: Way,
    places: list[list[float]],
    reached: list[list[float]],
    spans: list[int],
    level: int,
) -> None:
    """Draw what each place of a layer takes from the layer below."""
    width = (spans[level] - spans[level - 1]) / 2 + 0.01
    bottom, top = 1 + (level - 1) * _RISE, 1 + level * _RISE
    for x in places[level]:
        for source in places[level - 1]:
            if abs(x - source) > width:
                continue
            dark = x in reached[level] and source in reached[level - 1]
            colour, linewidth = (way.colour, 1.6) if dark else (_PALE, 0.6)
            axes.plot([source, x], [bottom, top], color=colour, lw=linewidth, zorder=1 + dark)


def _places(count: int) -> list[float]:
    """Return the middles of ``count`` equal stretches of the clip."""
    return [0.3 + NUM_FRAMES * (n + 0.5) / count for n in range(count)]


def _write_table(figure: Figure, left: float, way: Way, table: list[LayerRow]) -> None:
    columns = (left, left + 0.05, left + 0.152)
    lines = [("", "size", "sees")]
    for row in table:
        size = "\N{MULTIPLICATION SIGN}".join(
            str(row.output[axis]) for axis in "CTHW" if axis in row.output
        )
        field = "\N{MULTIPLICATION SIGN}".join(
            str(count) for count in (frames_seen(row), row.field["H"], row.field["W"])
        )
        lines.append((row.name, size, field))
    for number, line in enumerate(lines):
        for x, text in zip(columns, line, strict=True):
            y = 0.30 - 0.045 * number
            figure.text(x, y, text, fontsize=SMALL, color=GREY if number == 0 else "black")
    count = count_parameters(way.network)
    figure.text(left, 0.30 - 0.045 * len(lines), f"{count:,} parameters", fontsize=SMALL)
