"""Six cells side by side: the data flow of one step, and its equations.

Every drawing is computed as well: followed from wire to wire with a cell's weights it gives what
the library's cell gives; the line at the top says how closely.

Source: the cells' own, as in ``unrolled.cells``: Elman 1990, Hochreiter & Schmidhuber 1997 with the
forget gate of Gers et al. 2000, Cho et al. 2014, Jozefowicz et al. 2015.
"""

from itertools import pairwise

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unrolled.figures._cell_graphs import GRAPHS, CellGraph, Node, compute
from unrolled.figures._learning import seeded
from unrolled.figures.drawing import (
    BLUE,
    DASHED,
    GREY,
    INK,
    ORANGE,
    SMALL,
    STATE,
    TEXT,
    WEIGHT,
    Point,
    board,
    box,
    node,
    route,
    slide,
)


def draw() -> Figure:
    """Draw the six in two rows."""
    figure = slide("One step of six cells")
    for number, graph in enumerate(GRAPHS):
        row, place = divmod(number, 3)
        _draw_cell(figure, graph, left=0.015 + 0.33 * place, bottom=0.555 - 0.455 * row)
    difference = max(differences(graph) for graph in GRAPHS)
    figure.text(
        0.975,
        0.955,
        "An arrow into a gate passes through a matrix, a dashed one goes in as it is; every gate\n"
        f"adds a bias. Computed as drawn, each is within {difference:.0e} of the library's cell.",
        ha="right",
        va="center",
        fontsize=SMALL,
        color=GREY,
    )
    return figure


@torch.no_grad()
def differences(graph: CellGraph) -> float:
    """Compute a drawing and the library's cell from random weights, and compare the new states."""
    with seeded(0):
        cell = graph.build(5).double()
        x = torch.randn(3, 5, dtype=torch.float64)
        state = cell.initial_state(3)
        state = type(state)(*(torch.randn_like(leaf) for leaf in state))
    _, expected = cell.step(x, state)
    found = compute(graph, cell, {"x": x, **state._asdict()})
    return max(float((found[name] - part).abs().max()) for name, part in expected._asdict().items())


def _draw_cell(figure: Figure, graph: CellGraph, *, left: float, bottom: float) -> None:
    axes = board(figure, width=10.4, height=6.1, place=(left, bottom, 0.315, 0.328))
    figure.text(left + 0.004, bottom + 0.335, graph.title, fontsize=TEXT, fontweight="bold")
    for wire in graph.wires:
        route(axes, wire.points, linestyle=DASHED if wire.as_it_is else "-")
        if not wire.target:
            part = next(part for part, name in graph.outputs.items() if name == wire.source)
            x, y = wire.points[-1]
            axes.text(x + 0.12, y, f"${part}'$", va="center", fontsize=TEXT, color=STATE)
    for x, y in _branches(graph):
        axes.plot(x, y, "o", color=INK, markersize=5, zorder=2)
    for source in ("x", "h", "c"):
        starts = [wire.points[0] for wire in graph.wires if wire.source == source]
        if starts:
            x, y = min(starts)
            colour = BLUE if source == "x" else STATE
            axes.text(x - 0.1, y, f"${source}$", ha="right", va="center", color=colour)
    for operation in graph.nodes:
        _draw_node(axes, operation)
    for line, equation in enumerate(graph.equations):
        figure.text(left + 0.006, bottom - 0.014 - 0.0255 * line, equation, fontsize=11)


def _draw_node(axes: Axes, part: Node) -> None:
    is_tanh = part.operation == "tanh"
    if part.is_gate:
        text = part.operation if "'" in part.name else f"${part.name}$ {part.operation}"
        width = 1.6 if is_tanh else 1.3
        box(axes, part.place, text, colour=WEIGHT, width=width, height=0.8, fontsize=12)
    elif is_tanh:
        box(axes, part.place, "tanh", colour=ORANGE, width=0.95, height=0.56, fontsize=10)
    else:
        radius = 0.26 if len(part.operation) == 1 else 0.33
        node(axes, part.place, part.operation, colour=ORANGE, radius=radius, fontsize=11)


def _branches(graph: CellGraph) -> list[Point]:
    """Return where a wire leaves another of the same source."""
    return [
        point
        for wire in graph.wires
        for other in graph.wires
        if wire.source == other.source
        for point in wire.points[:-1]
        if any(_is_inside(point, *segment) for segment in pairwise(other.points))
    ]


def _is_inside(point: Point, start: Point, end: Point) -> bool:
    """Say whether a point lies between the ends of a level or upright segment."""
    along, across = (0, 1) if start[1] == end[1] else (1, 0)
    low, high = sorted((start[along], end[along]))
    return point[across] == start[across] and low < point[along] < high
