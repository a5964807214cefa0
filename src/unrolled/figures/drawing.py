"""The look that the figures share, the shapes that they are drawn with, and their files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import torch
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

# Okabe & Ito 2008: told apart without red-green vision; their lightness differs, for print.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY = "#CC79A7", "#56B4E9"
INK, GREY, PALE = "#222222", "#7F7F7F", "#EDEDED"
INPUT, STATE, OUTPUT, WEIGHT, LOSS = SKY, GREEN, ORANGE, PURPLE, RED  # what a colour stands for

TITLE, TEXT, SMALL = 20.0, 14.0, 11.0  # points, on a slide of 12.8 inches
SLIDE_INCHES = (12.8, 7.2)
DOTS_PER_INCH = 100

DASHED = (0, (3, 2))  # in widths of the line

Point = tuple[float, float]
Linestyle = str | tuple[int, tuple[int, int]]

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": TEXT,
    "axes.titlesize": 16.0,
    "axes.labelsize": TEXT,
    "xtick.labelsize": 12.0,
    "ytick.labelsize": 12.0,
    "legend.fontsize": 12.0,
    "legend.frameon": False,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 2.0,
    "axes.prop_cycle": cycler(color=[BLUE, RED, GREEN, ORANGE, PURPLE, SKY]),
    "svg.hashsalt": "unrolled",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Set matplotlib's options to the house's, whatever the user's are, within the block."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def drawn(name: str) -> Figure:
    """Draw the figure of this name, one of ``FIGURES``, in the house's style.

    Example:
        >>> drawn("unrolled_graph").get_size_inches().tolist()
        [12.8, 7.2]
    """
    with house_style(), _one_thread():
        figure: Figure = import_module(f"unrolled.figures.{name}").draw()
    return figure


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one thread: a second only waits for such small sums, and could reorder them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def save(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write NAME.png and NAME.svg, the same bytes every time, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    with house_style():
        figure.savefig(png, metadata={"Software": None})
        figure.savefig(svg, metadata={"Date": None, "Creator": "unrolled"})
    return png, svg


def slide(title: str) -> Figure:
    """Return an empty figure of a slide's shape with a title."""
    figure = Figure(figsize=SLIDE_INCHES, dpi=DOTS_PER_INCH, facecolor="white")
    figure.text(0.03, 0.955, title, fontsize=TITLE, fontweight="bold", va="center")
    return figure


def board(figure: Figure, *, width: float, height: float, place: Sequence[float]) -> Axes:
    """Add axes to draw boxes and arrows on: no ticks, equal scales, the origin lower left.

    Args:
        figure: to add them to.
        width: of the board, in its own units.
        height: of the board.
        place: left, bottom, width and height, as shares of the figure.
    """
    left, bottom, share_x, share_y = place
    axes = figure.add_axes((left, bottom, share_x, share_y))
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    axes.axis("off")
    return axes


class Box(NamedTuple):
    """Where something was drawn, for arrows to begin and end at."""

    x: float
    y: float
    width: float
    height: float

    @property
    def top(self) -> Point:
        """The middle of the upper edge."""
        return self.x, self.y + self.height / 2

    @property
    def bottom(self) -> Point:
        """The middle of the lower edge."""
        return self.x, self.y - self.height / 2

    @property
    def left(self) -> Point:
        """The middle of the left edge."""
        return self.x - self.width / 2, self.y

    @property
    def right(self) -> Point:
        """The middle of the right edge."""
        return self.x + self.width / 2, self.y


def signed(value: float, digits: int) -> str:
    """Write a number with so many decimals, and a minus sign rather than a hyphen.

    Example:
        >>> signed(-1.5, 2)
        '−1.50'
    """
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def tint(colour: str, strength: float = 0.3) -> tuple[float, float, float]:
    """Mix a colour with white, for areas that hold text."""
    red, green, blue = (1 - strength * (1 - part) for part in to_rgb(colour))
    return red, green, blue


def box(
    axes: Axes,
    centre: Point,
    text: str,
    *,
    colour: str,
    width: float = 1.0,
    height: float = 1.0,
    fontsize: float = TEXT,
) -> Box:
    """Draw a rounded box around ``centre`` with text in it."""
    x, y = centre
    corner = f"round,pad=0,rounding_size={0.18 * min(width, height)}"
    patch = FancyBboxPatch(
        (x - width / 2, y - height / 2),
        width,
        height,
        boxstyle=corner,
        facecolor=tint(colour),
        edgecolor=colour,
        linewidth=1.8,
        zorder=3,
    )
    axes.add_patch(patch)
    axes.text(x, y, text, ha="center", va="center_baseline", fontsize=fontsize, zorder=4)
    return Box(x, y, width, height)


def node(
    axes: Axes,
    centre: Point,
    text: str,
    *,
    colour: str = INK,
    radius: float = 0.25,
    fontsize: float = TEXT,
) -> Box:
    """Draw a circle, such as an operation on vectors."""
    patch = Circle(
        centre, radius, facecolor=tint(colour, 0.12), edgecolor=colour, linewidth=1.6, zorder=3
    )
    axes.add_patch(patch)
    axes.text(*centre, text, ha="center", va="center_baseline", fontsize=fontsize, zorder=4)
    return Box(*centre, 2 * radius, 2 * radius)


def arrow(
    axes: Axes,
    start: Point,
    end: Point,
    *,
    colour: str = INK,
    linestyle: Linestyle = "-",
    linewidth: float = 1.6,
    bend: float = 0.0,
    gap: float = 0.0,
) -> None:
    """Draw an arrow, curved by ``bend``, that leaves ``gap`` points free at its ends."""
    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=12,
            connectionstyle=f"arc3,rad={bend}",
            shrinkA=gap,
            shrinkB=gap,
            color=colour,
            linestyle=linestyle,
            linewidth=linewidth,
            zorder=2,
        )
    )


def route(
    axes: Axes,
    points: Sequence[Point],
    *,
    colour: str = INK,
    linestyle: Linestyle = "-",
    linewidth: float = 1.6,
) -> None:
    """Draw a line along points, white where it passes over others, with an arrow's head."""
    xs, ys = zip(*points, strict=True)
    axes.plot(xs, ys, color="white", linewidth=linewidth + 4.5, zorder=1.5)
    axes.plot(
        xs[:-1],  # the arrow is the last segment
        ys[:-1],
        color=colour,
        linewidth=linewidth,
        linestyle=linestyle,
        solid_capstyle="projecting",
        zorder=1.5,
    )
    arrow(axes, points[-2], points[-1], colour=colour, linestyle=linestyle, linewidth=linewidth)


def diverging() -> LinearSegmentedColormap:
    """Return the colours of signed numbers: red below 0, white at 0, blue above."""
    return LinearSegmentedColormap.from_list("signed", [RED, "white", BLUE])


def column(
    axes: Axes,
    centre: Point,
    values: Sequence[float],
    *,
    largest: float,
    cell: Point = (1.05, 0.42),
    colour: str = INK,
    digits: int = 2,
    fontsize: float = 12.0,
    marked: int | None = None,
) -> Box:
    """Draw a vector as a column of cells, each with its number and a tint for its sign and size.

    The number of row ``marked`` is bold, within a thicker frame.
    """
    (x, y), (width, height) = centre, cell
    colours = diverging()
    top = y + height * len(values) / 2
    for row, value in enumerate(values):
        lower = top - (row + 1) * height
        shade = colours(0.5 + 0.32 * max(-1.0, min(1.0, value / largest)))
        axes.add_patch(
            FancyBboxPatch(
                (x - width / 2, lower),
                width,
                height,
                boxstyle="square,pad=0",
                facecolor=shade,
                edgecolor=INK if row == marked else colour,
                linewidth=2.6 if row == marked else 1.2,
                zorder=3.5 if row == marked else 3,
            )
        )
        axes.text(
            x,
            lower + height / 2,
            signed(value, digits),
            ha="center",
            va="center_baseline",
            fontsize=fontsize,
            fontweight="bold" if row == marked else "normal",
            zorder=4,
        )
    return Box(x, y, width, height * len(values))
