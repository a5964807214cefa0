"""Lifting: the part of a trace that depends on the state, as values on rows."""

from enum import Enum
from typing import NamedTuple

import torch

from unrolled.kernels.arithmetic import Arithmetic, said
from unrolled.kernels.graph import Graph, Leaf, Value
from unrolled.kernels.program import Block, Op
from unrolled.kernels.trace import (
    BATCH,
    Node,
    Part,
    Trace,
    UnplannableError,
    arguments_of,
    constant,
)

_aten = torch.ops.aten

_SAME = ("aten.clone.default", "aten.alias.default", "aten.contiguous.default")
_VIEWS = ("aten.view.default", "aten._unsafe_view.default", "aten.reshape.default")


class Reach(Enum):
    """What of that which depends on x alone is computed in the loop, besides light arithmetic."""

    STATE = "nothing"
    PRODUCTS = "products too, and all that has a place in a program"
    WHOLE = "everything, for one step at a time"


class Lifted(NamedTuple):
    """The state's part of a step, and what of the rest it stands on.

    Args:
        graph: holds the values.
        states: the leaves of the state after the step.
        emitted: values that the rest of the step needs.
        emitted_nodes: the nodes that these are.
        inputs: nodes that depend on x, or on what is given, and not on the state.
        vectors: nodes of parameters that are the same in every row, with the width wanted.
        matrices: nodes of parameters that products are with.
    """

    graph: Graph
    states: list[Value]
    emitted: list[Value]
    emitted_nodes: list[Node]
    inputs: list[Node]
    vectors: list[tuple[Node, int]]
    matrices: list[Node]


def lift(traced: Trace, reach: Reach = Reach.STATE) -> Lifted:
    """Split a trace at the state.

    Args:
        traced: a step.
        reach: what of x goes with it.

    Raises:
        UnplannableError: the state goes through an operation that has no place in a program.
    """
    lifter = _Lifter(reach)
    states = [lifter.row(node) for node in traced.states]
    whole = reach is Reach.WHOLE
    emitted = traced.outputs if whole else _boundary(traced.outputs, _needed(traced), lifter)
    values = [lifter.row(node) for node in emitted]
    return Lifted(
        lifter.graph,
        states,
        values,
        emitted,
        list(lifter.inputs),
        list(lifter.vectors),
        list(lifter.matrices),
    )


def _needed(traced: Trace) -> set[Node]:
    """Return the nodes of the state's part without which there is no next state."""
    needed, todo = set(), list(traced.states)
    while todo:
        node = todo.pop()
        if node not in needed and node.part is Part.STATE:
            needed.add(node)
            todo += arguments_of(node)
    return needed


def _boundary(outputs: list[Node], needed: set[Node], lifter: "_Lifter") -> list[Node]:
    """Return the nodes that leave the loop: what follows from them needs no loop.

    Products that only the output needs are left for after the loop, where they are one product
    for all steps; arithmetic between is done in the loop, where the numbers are at hand.
    """
    inside: dict[Node, bool] = {}

    def fits(node: Node) -> bool:
        if node not in inside:
            inside[node] = node in needed or node.operation is None
            if not inside[node] and node.name not in ("aten.mm.default", "aten.addmm.default"):
                before = [arg for arg in arguments_of(node) if arg.part is Part.STATE]
                inside[node] = all(map(fits, before)) and lifter.accepts(node)
        return inside[node]

    leaving: dict[Node, None] = {}
    todo, seen = list(reversed(outputs)), set()
    while todo:
        node = todo.pop()
        if node in seen or node.part is not Part.STATE:
            continue
        seen.add(node)
        if fits(node):
            leaving[node] = None
        else:
            todo += reversed(arguments_of(node))
    return list(leaving)


class _Lifter(Arithmetic):
    """Turns nodes of the state's part into values, and notes what they stand on."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self.graph = Graph()
        self.inputs: dict[Node, int] = {}
        self.vectors: dict[tuple[Node, int], int] = {}
        self.matrices: dict[Node, int] = {}
        self._lifted: dict[Node, Value] = {}
        self._splits: dict[tuple[Node, tuple[int, ...]], list[Node]] = {}

    def accepts(self, node: Node) -> bool:
        """Tell whether a node has a place in a program."""
        try:
            self.row(node)
        except UnplannableError:
            return False
        return True

    def row(self, node: Node) -> Value:
        """Return the value of a node of shape [B, n]."""
        if node not in self._lifted:
            self._lifted[node] = self._lift(node)
        return self._lifted[node]

    def _lift(self, node: Node) -> Value:
        if len(node.shape) != 2 or node.shape[0] is not None or node.shape[1] is None:
            raise UnplannableError(f"{said(node)} is not of shape [B, n]")
        width, number = node.shape[1], constant(node)
        if number is not None:
            return self.graph.fill(number, width)
        if node.part is Part.GIVEN:
            return self._input(node, width)
        if node.part is Part.INPUT and (self.reach is not Reach.WHOLE or not node.operation):
            return self._light(node, width) or self._input(node, width)
        if node.operation is None:
            if node.dtype != torch.float32:
                raise UnplannableError(f"a leaf of its state is {node.dtype}")
            return self.graph.leaf(Leaf.STATE, node.number, width)
        for kind in (self.unary, self.binary, self._product, self._structure, self.special):
            value = kind(node, width)
            if value is not None:
                return value
        raise UnplannableError(f"{said(node)} has no place in a program")

    def _light(self, node: Node, width: int) -> Value | None:
        """Return arithmetic on what depends on x alone, where the loop can do it.

        There the numbers are at hand; before it each operation would go through memory for all
        steps, and its gradient again.
        """
        if node.operation is None:
            return None
        kinds = [self.unary, self.binary, self._structure]
        if self.reach is Reach.PRODUCTS:
            kinds += [self._product, self.special]
        try:
            return next((value for kind in kinds if (value := kind(node, width)) is not None), None)
        except UnplannableError:
            return None

    def _input(self, node: Node, width: int) -> Value:
        """Return what depends on x alone and is computed before the loop."""
        if node.dtype != torch.float32:
            raise UnplannableError(f"{said(node)} is {node.dtype}")
        number = self.inputs.setdefault(node, len(self.inputs))
        return self.graph.leaf(Leaf.INPUT, number, width)

    def operand(self, argument: object, width: int) -> Value:
        """Return an argument of arithmetic, made ``width`` wide as broadcasting does."""
        if isinstance(argument, bool | int | float):
            return self.graph.fill(float(argument), width)
        if argument is BATCH:
            raise UnplannableError("what it does depends on the batch size")
        if not isinstance(argument, Node):
            raise UnplannableError(f"an argument {argument!r} has no place in a program")
        if argument.part is Part.STATIC:
            sizes = [size for size in argument.shape if size != 1]
            if sizes not in ([], [width]) or argument.shape[-1:] not in ((), (1,), (width,)):
                raise UnplannableError(f"a parameter {list(argument.shape)} meets rows of {width}")
            if argument.dtype != torch.float32:
                raise UnplannableError(f"a parameter is {argument.dtype}")
            number = self.vectors.setdefault((argument, width), len(self.vectors))
            return self.graph.leaf(Leaf.VECTOR, number, width)
        value = self.row(argument)
        if value.width == width:
            return value
        if value.width == 1:
            return self.graph.spread(value, width)
        raise UnplannableError(f"rows of {value.width} meet rows of {width}")

    def _product(self, node: Node, width: int) -> Value | None:
        if node.name == "aten.mm.default":
            a, matrix = node.arguments
            return self.product(None, a, matrix, width)
        if node.name == "aten.addmm.default" and not node.keywords:
            bias, a, matrix = node.arguments
            return self.product(bias, a, matrix, width)
        return None

    def product(self, bias: Node | None, a: Node, matrix: Node, width: int) -> Value:
        """Return [bias +] a @ matrix; parts of a that are known before the loop are taken out."""
        if matrix.part is not Part.STATIC or matrix.dtype != torch.float32:
            raise UnplannableError("it multiplies the state with what is no parameter")
        parts = _joined(a)
        products, known = [], []
        inside = (Part.STATE,) if self.reach is Reach.STATE else (Part.INPUT, Part.STATE)
        for part, rows in zip(parts, self._split(matrix, parts), strict=True):
            if part.part in inside:
                number = self.matrices.setdefault(rows, len(self.matrices))
                block = Block(number, 0, 0, part.shape[1] or 0)
                products.append((part.part is Part.STATE, self.row(part), block))
            else:
                mm = _aten.mm.default
                known.append(Node(part.part, (None, width), part.dtype, mm, (part, rows)))
        total = None if bias is None else self.operand(bias, width)
        for node in known:
            value = self.row(node)
            total = value if total is None else self.graph.op(Op.ADD, value, total)
        for _, left, block in sorted(products, key=lambda item: item[0]):  # what waits comes last
            total = self.graph.product(left, (block,), width, total)
        assert total is not None
        return total

    def _split(self, matrix: Node, parts: list[Node]) -> list[Node]:
        """Return the rows of a matrix that meet each part of a left factor.

        Of one split, whose gradient is put together once; each slice's would be a whole matrix.
        """
        sizes = tuple(part.shape[1] or 0 for part in parts)
        if len(sizes) == 1:
            return [matrix]
        if (matrix, sizes) not in self._splits:
            self._splits[matrix, sizes] = _rows_of(matrix, sizes)
        return self._splits[matrix, sizes]

    def _structure(self, node: Node, width: int) -> Value | None:
        if node.name in _SAME or node.name == "aten._to_copy.default":
            return self.row(node.arguments[0])
        if node.name in _VIEWS and node.arguments[0].shape == node.shape:
            return self.row(node.arguments[0])
        if node.name == "aten.expand.default" and len(node.arguments[0].shape) == 2:
            return self.graph.spread(self.row(node.arguments[0]), width)
        if node.name == "aten.cat.default" and _dim(node, 1) == 1:
            return self.graph.concat(self.row(part) for part in node.arguments[0])
        span = _columns(node)
        if span is not None:
            return self.graph.slice(self.row(span[0]), span[1], width)
        return None


def _columns(node: Node) -> tuple[Node, int] | None:
    """Return the node and the first column of it that a node is, if it is just some columns."""
    args = node.arguments
    if node.name in ("aten.split.Tensor", "aten.split_with_sizes.default") and _dim(node, 2) == 1:
        sizes = args[1] if isinstance(args[1], (tuple, list)) else [args[1]] * (node.index or 0)
        return args[0], sum(sizes[: node.index])
    if node.name == "aten.slice.Tensor" and len(args) > 1 and args[1] % 2 == 1:
        if len(args) > 4 and args[4] != 1:
            raise UnplannableError("a slice with a step has no place in a program")
        start = args[2] or 0 if len(args) > 2 else 0
        return args[0], start if start >= 0 else args[0].shape[1] + start
    return None


def _dim(node: Node, place: int) -> int:
    dim = node.arguments[place] if len(node.arguments) > place else node.keywords.get("dim", 0)
    return int(dim) % 2 if len(node.shape) == 2 else -1


def _joined(a: Node) -> list[Node]:
    """Return the parts of a left factor that was put together from columns."""
    if a.name == "aten.cat.default" and _dim(a, 1) == 1:
        return [leaf for part in a.arguments[0] for leaf in _joined(part)]
    return [a]


def _rows_of(matrix: Node, sizes: tuple[int, ...]) -> list[Node]:
    """Return new nodes: so many rows of a parameter each, one after the other."""
    split, width, dtype = _aten.split_with_sizes.default, matrix.shape[1], matrix.dtype
    if matrix.name != "aten.t.default":
        arguments: tuple[object, ...] = (matrix, [*sizes], 0)
        return [
            Node(Part.STATIC, (size, width), dtype, split, arguments, index=place)
            for place, size in enumerate(sizes)
        ]
    # Columns of what is transposed: the gradients of these, side by side, lie as it does.
    arguments = (matrix.arguments[0], [*sizes], 1)
    columns = [
        Node(Part.STATIC, (width, size), dtype, split, arguments, index=place)
        for place, size in enumerate(sizes)
    ]
    transposed = _aten.t.default
    return [
        Node(Part.STATIC, (column.shape[1], width), dtype, transposed, (column,))
        for column in columns
    ]
