"""Six cells as graphs: what is drawn is what is computed.

A cell is a list of nodes, in an order in which they can be computed, and of wires between them.
``compute`` follows the wires as they are drawn; that this gives what the library's cell gives shows
that the drawing is right.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unrolled.cells import GRU, LSTM, MUT1, MUT2, MUT3, RNN
from unrolled.figures.drawing import Point
from unrolled.recurrence import Recurrence

AnyCell = Recurrence[Any, Any, Any, Any]

_OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "σ": torch.sigmoid,
    "tanh": torch.tanh,
    "×": torch.mul,
    "+": torch.add,
    "1−": lambda a: 1 - a,
}


@dataclass(frozen=True)
class Node:
    """One operation: a gate, with matrices on its wires and a bias, or one on vectors as they are.

    Args:
        name: by which wires refer to it; a gate's is shown.
        operation: one of those above.
        place: of its middle, in a panel of 10 by 6.4.
        is_gate: whether it sums what comes in, through matrices, and a bias.
    """

    name: str
    operation: str
    place: Point
    is_gate: bool = False


@dataclass(frozen=True)
class Wire:
    """A vector's way from a node, or from x, h or c, to another, or out of the cell.

    Args:
        source: where it begins.
        target: where it ends: a node, "" where it leaves the cell.
        points: its corners.
        as_it_is: goes into a gate without a matrix.
    """

    source: str
    target: str
    points: tuple[Point, ...]
    as_it_is: bool = False


@dataclass(frozen=True)
class CellGraph:
    """A cell to draw, to compute, and to compare with the library's.

    Args:
        title: the name over the drawing.
        build: makes the library's cell of a size, input and state alike.
        blocks: for each gate the block of rows of W_ih, of W_hh and of the bias; None without one.
        nodes: in an order in which they can be computed.
        wires: between them.
        outputs: which node each part of the new state comes from.
        equations: as printed under it.
    """

    title: str
    build: Callable[[int], AnyCell]
    blocks: Mapping[str, tuple[int | None, int | None, int]]
    nodes: tuple[Node, ...]
    wires: tuple[Wire, ...]
    outputs: Mapping[str, str]
    equations: tuple[str, ...]


def compute(graph: CellGraph, cell: AnyCell, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Follow the wires with a cell's weights from x, h and, for an LSTM, c: the new state."""
    values = dict(state)
    for node in graph.nodes:
        incoming = [wire for wire in graph.wires if wire.target == node.name]
        operation = _OPERATIONS[node.operation]
        if node.is_gate:
            total = _bias(graph, cell, node.name)
            for wire in incoming:
                value = values[wire.source]
                total = total + (value if wire.as_it_is else _product(graph, cell, wire, value))
            values[node.name] = operation(total)
        else:
            values[node.name] = operation(*(values[wire.source] for wire in incoming))
    return {part: values[name] for part, name in graph.outputs.items()}


def _block(weight: Tensor, block: int | None, size: int) -> Tensor:
    assert block is not None, "a wire with a matrix enters a gate that has none"
    return weight[block * size : (block + 1) * size]


def _product(graph: CellGraph, cell: AnyCell, wire: Wire, value: Tensor) -> Tensor:
    block_ih, block_hh, _ = graph.blocks[wire.target]
    name, block = ("weight_ih", block_ih) if wire.source == "x" else ("weight_hh", block_hh)
    return value @ _block(getattr(cell, name), block, value.shape[-1]).T


def _bias(graph: CellGraph, cell: AnyCell, gate: str) -> Tensor:
    weights = dict(cell.named_parameters())
    biases = [weights[name] for name in ("bias", "bias_ih", "bias_hh") if name in weights]
    block, size = graph.blocks[gate][2], weights["weight_hh"].shape[1]
    return torch.stack([_block(bias, block, size) for bias in biases]).sum(dim=0)


# What GRU and the three MUT cells share: r and z at the left, the candidate n at the right.
_LINE, _GATES, _X_RAIL = 5.6, 2.1, 0.4
_R = Node("r", "σ", (2.0, _GATES), True)
_Z = Node("z", "σ", (4.9, _GATES), True)
_N = Node("n", "tanh", (7.75, _GATES), True)
_RESET = Node("r h", "×", (3.1, 3.2))
_KEPT = Node("kept", "×", (5.35, _LINE))
_NEW = Node("new", "×", (7.95, 3.95))
_SUM = Node("h'", "+", (7.95, _LINE))


def _from_x(target: str, x: float, *, as_it_is: bool = False, top: float = 1.7) -> Wire:
    return Wire("x", target, ((0.2, _X_RAIL), (x, _X_RAIL), (x, top)), as_it_is)


_H_TO_R = Wire("h", "r", ((1.6, _LINE), (1.6, 2.5)))
_H_TO_Z = Wire("h", "z", ((4.4, _LINE), (4.4, 2.5)))
_SHARED = (
    Wire("h", "kept", ((0.2, _LINE), (5.1, _LINE))),
    _H_TO_R,
    Wire("h", "r h", ((3.1, _LINE), (3.1, 3.45))),
    Wire("r", "r h", ((2.65, _GATES), (3.1, _GATES), (3.1, 2.95))),
    Wire("r h", "n", ((3.35, 3.2), (7.4, 3.2), (7.4, 2.5))),
    Wire("n", "new", ((7.95, 2.5), (7.95, 3.7))),
    Wire("kept", "h'", ((5.6, _LINE), (7.7, _LINE))),
    Wire("new", "h'", ((7.95, 4.2), (7.95, 5.35))),
    Wire("h'", "", ((8.2, _LINE), (9.8, _LINE))),
)
_MUT_MIX = (
    Node("1-z", "1−", (5.35, 4.68)),
    (
        Wire("z", "1-z", ((5.35, 2.5), (5.35, 4.35))),
        Wire("1-z", "kept", ((5.35, 5.01), (5.35, 5.34))),
        Wire("z", "new", ((5.35, 3.95), (7.7, 3.95))),
    ),
)
_MUT_LAST = r"$h' = z \odot n + (1 - z) \odot h$"

RNN_GRAPH = CellGraph(
    "RNN",
    lambda size: RNN(size, size),
    {"h'": (0, 0, 0)},
    (Node("h'", "tanh", (5.0, 3.2), True),),
    (
        Wire("h", "h'", ((0.2, 3.2), (4.2, 3.2))),
        Wire("x", "h'", ((0.2, _X_RAIL), (5.0, _X_RAIL), (5.0, 2.8))),
        Wire("h'", "", ((5.8, 3.2), (9.8, 3.2))),
    ),
    {"h": "h'"},
    (r"$h' = \tanh(W_{xh}\, x + W_{hh}\, h + b)$",),
)

_LSTM_GATES = {"i": 3.5, "f": 1.6, "g": 5.5, "o": 7.4}
_H_RAIL = 0.95
LSTM_GRAPH = CellGraph(
    "LSTM",
    lambda size: LSTM(size, size),
    {gate: (block, block, block) for block, gate in enumerate("ifgo")},
    (
        *(
            Node(gate, "tanh" if gate == "g" else "σ", (x, _GATES), True)
            for gate, x in _LSTM_GATES.items()
        ),
        Node("f c", "×", (1.6, _LINE)),
        Node("i g", "×", (4.5, 4.0)),
        Node("c'", "+", (4.5, _LINE)),
        Node("tanh c'", "tanh", (8.6, 4.65)),
        Node("h'", "×", (8.6, 3.4)),
    ),
    (
        *(
            Wire("x", gate, ((0.2, _X_RAIL), (x - 0.3, _X_RAIL), (x - 0.3, 1.7)))
            for gate, x in _LSTM_GATES.items()
        ),
        *(
            Wire("h", gate, ((0.2, _H_RAIL), (x + 0.3, _H_RAIL), (x + 0.3, 1.7)))
            for gate, x in _LSTM_GATES.items()
        ),
        Wire("c", "f c", ((0.2, _LINE), (1.35, _LINE))),
        Wire("f", "f c", ((1.6, 2.5), (1.6, 5.35))),
        Wire("f c", "c'", ((1.85, _LINE), (4.25, _LINE))),
        Wire("i", "i g", ((3.5, 2.5), (3.5, 4.0), (4.25, 4.0))),
        Wire("g", "i g", ((5.5, 2.5), (5.5, 4.0), (4.75, 4.0))),
        Wire("i g", "c'", ((4.5, 4.25), (4.5, 5.35))),
        Wire("c'", "", ((4.75, _LINE), (9.8, _LINE))),
        Wire("c'", "tanh c'", ((8.6, _LINE), (8.6, 4.93))),
        Wire("tanh c'", "h'", ((8.6, 4.37), (8.6, 3.65))),
        Wire("o", "h'", ((7.4, 2.5), (7.4, 3.4), (8.35, 3.4))),
        Wire("h'", "", ((8.85, 3.4), (9.8, 3.4))),
    ),
    {"c": "c'", "h": "h'"},
    (
        r"$i, f, o = \sigma(W x + U h + b)$,   $g = \tanh(W_g\, x + U_g\, h + b_g)$",
        r"$c' = f \odot c + i \odot g$,   $h' = o \odot \tanh(c')$",
    ),
)

GRU_GRAPH = CellGraph(
    "GRU, r before the matrix",
    lambda size: GRU(size, size, reset="before"),
    {"r": (0, 0, 0), "z": (1, 1, 1), "n": (2, 2, 2)},
    (_R, _Z, _RESET, _N, Node("1-z", "1−", (6.6, 3.95)), _KEPT, _NEW, _SUM),
    (
        *_SHARED,
        _H_TO_Z,
        _from_x("r", 2.0),
        _from_x("z", 4.9),
        _from_x("n", 7.75),
        Wire("z", "kept", ((5.35, 2.5), (5.35, 5.35))),
        Wire("z", "1-z", ((5.35, 3.95), (6.27, 3.95))),
        Wire("1-z", "new", ((6.93, 3.95), (7.7, 3.95))),
    ),
    {"h": "h'"},
    (
        r"$r, z = \sigma(W x + U h + b)$",
        r"$n = \tanh(W_{xn}\, x + W_{hn}(r \odot h) + b_n)$",
        r"$h' = z \odot h + (1 - z) \odot n$",
    ),
)

MUT1_GRAPH = CellGraph(
    "MUT1",
    lambda size: MUT1(size, size),
    {"z": (0, None, 0), "r": (1, 0, 1), "n": (None, 1, 2)},
    (_R, _Z, _RESET, Node("tanh x", "tanh", (7.75, 1.05)), _N, _MUT_MIX[0], _KEPT, _NEW, _SUM),
    (
        *_SHARED,
        *_MUT_MIX[1],
        _from_x("r", 2.0),
        _from_x("z", 4.9),
        _from_x("tanh x", 7.75, top=0.77),
        Wire("tanh x", "n", ((7.75, 1.33), (7.75, 1.7)), True),
    ),
    {"h": "h'"},
    (
        r"$z = \sigma(W_{xz}\, x + b_z)$,   $r = \sigma(W_{xr}\, x + W_{hr}\, h + b_r)$",
        r"$n = \tanh(W_{hn}(r \odot h) + \tanh(x) + b_n)$",
        _MUT_LAST,
    ),
)

MUT2_GRAPH = CellGraph(
    "MUT2",
    lambda size: MUT2(size, size),
    {"z": (0, 0, 0), "r": (None, 1, 1), "n": (1, 2, 2)},
    (_R, _Z, _RESET, _N, _MUT_MIX[0], _KEPT, _NEW, _SUM),
    (
        *_SHARED,
        *_MUT_MIX[1],
        _H_TO_Z,
        _from_x("r", 2.0, as_it_is=True),
        _from_x("z", 4.9),
        _from_x("n", 7.75),
    ),
    {"h": "h'"},
    (
        r"$z = \sigma(W_{xz}\, x + W_{hz}\, h + b_z)$,   $r = \sigma(x + W_{hr}\, h + b_r)$",
        r"$n = \tanh(W_{hn}(r \odot h) + W_{xn}\, x + b_n)$",
        _MUT_LAST,
    ),
)

MUT3_GRAPH = CellGraph(
    "MUT3",
    lambda size: MUT3(size, size),
    {"z": (0, 0, 0), "r": (1, 1, 1), "n": (2, 2, 2)},
    (Node("tanh h", "tanh", (4.3, 4.3)), _R, _Z, _RESET, _N, _MUT_MIX[0], _KEPT, _NEW, _SUM),
    (
        *_SHARED,
        *_MUT_MIX[1],
        Wire("h", "tanh h", ((4.3, _LINE), (4.3, 4.58))),
        Wire("tanh h", "z", ((4.3, 4.02), (4.3, 2.5))),
        _from_x("r", 2.0),
        _from_x("z", 4.9),
        _from_x("n", 7.75),
    ),
    {"h": "h'"},
    (
        r"$z = \sigma(W_{xz}\, x + W_{hz} \tanh(h) + b_z)$",
        r"$r = \sigma(W_{xr}\, x + W_{hr}\, h + b_r)$",
        r"$n = \tanh(W_{hn}(r \odot h) + W_{xn}\, x + b_n)$",
        _MUT_LAST,
    ),
)

GRAPHS = (RNN_GRAPH, LSTM_GRAPH, GRU_GRAPH, MUT1_GRAPH, MUT2_GRAPH, MUT3_GRAPH)
