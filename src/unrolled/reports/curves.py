"""Curves as SVG inside a page, in the page's own colours and letters."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MAX_POINTS, _GROUPS = 300, 150  # a line of more points is averaged in so many groups
# Colours that stand for those of the page, which has a light and a dark set of them.
_INK, _MUTED, _LINES = "#000001", "#000002", ("#000003", "#000004", "#000005")
_PAGE = {_INK: "currentColor", _MUTED: "var(--muted)"} | {
    colour: f"var(--line-{number})" for number, colour in enumerate(_LINES, 1)
}
_PLACE = (
    0.12,
    0.15,
    0.86,
    0.79,
)  # left, bottom, width, height: a layout that is fitted takes twice as long
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # letters stay letters
    "svg.hashsalt": "unrolled",  # the same curves, the same bytes
    "font.size": 10,
    "axes.edgecolor": _MUTED,
    "axes.labelcolor": _MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _MUTED,
    "grid.alpha": 0.2,
    "grid.linewidth": 0.6,
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
    "text.color": _INK,
    "legend.frameon": False,
    "savefig.transparent": True,
    "axes.formatter.limits": (-2, 5),
}


@dataclass(frozen=True)
class Line:
    """A line of a drawing.

    Args:
        label: for the legend.
        x: rising.
        y: as many.
        dots: mark every point.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    dots: bool = False


def draw_curves(
    lines: Sequence[Line],
    *,
    x_label: str,
    y_label: str,
    rules: Mapping[str, float] | None = None,
    scale: Literal["linear", "log"] = "linear",
) -> Markup | None:
    """Return the drawing of at most three lines; None where matplotlib is not installed.

    Of a line of many points the mean of every few is drawn, over the range of their middle 80 %.

    Args:
        lines: those without points are left out.
        x_label: under the drawing.
        y_label: beside it.
        rules: values of y at which to draw a line across, by name, such as a baseline.
        scale: of y; on "log" what is not above 0 is left out.
    """
    if not find_spec("matplotlib"):
        return None
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(5.6, 3.3))
        axes = figure.add_axes(_PLACE)
        for line, colour in zip(lines, _LINES, strict=False):
            _draw_line(axes, line, colour)
        for name, value in (rules or {}).items():
            axes.axhline(value, color=_MUTED, linewidth=1, linestyle=(0, (5, 3)))
            axes.annotate(
                f"{name} {value:.4g}",
                (1, value),
                xycoords=("axes fraction", "data"),
                xytext=(0, 3),
                textcoords="offset points",
                ha="right",
                color=_MUTED,
                fontsize=9,
            )
        axes.set(xlabel=x_label, ylabel=y_label, yscale=scale)
        axes.margins(x=0.02)
        if len(lines) > 1:
            axes.legend(loc="upper right")
        return Markup(_svg(figure))


def _draw_line(axes: "Axes", line: Line, colour: str) -> None:
    x, y = np.asarray(line.x, float), np.asarray(line.y, float)
    options: dict[str, Any] = {"color": colour, "label": line.label, "linewidth": 1.8}
    if len(x) <= _MAX_POINTS:
        axes.plot(x, y, marker="o" if line.dots or len(x) == 1 else None, markersize=4, **options)
        return
    groups = np.array_split(np.arange(len(x)), _GROUPS)
    middle = [x[group].mean() for group in groups]
    low, high = (np.array([np.quantile(y[g], q) for g in groups]) for q in (0.1, 0.9))
    axes.fill_between(middle, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.plot(middle, [y[group].mean() for group in groups], **options)


def _svg(figure: "Figure") -> str:
    """Return what goes into a page: no header, no names of namespaces, no numbers of parts."""
    file = io.StringIO()
    # Each given as nothing, or matplotlib writes an address to be looked up.
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Type": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*|<!--.*?-->\s*", "", text, flags=re.S)
    text = re.sub(r' xmlns(:xlink)?="[^"]*"| id="[a-zA-Z._]+\d*"', "", text)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    for colour, name in _PAGE.items():
        text = text.replace(colour, name)
    return text.strip()
