"""Lifting: the part of a trace that depends on the state, as values on rows."""

from collections.abc import Callable
from typing import NamedTuple

import torch

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

_UNARY = {
    "aten.neg.default": Op.NEG,
    "aten.sigmoid.default": Op.SIGMOID,
    "aten.tanh.default": Op.TANH,
    "aten.relu.default": Op.RELU,
    "aten.exp.default": Op.EXP,
    "aten.log.default": Op.LOG,
    "aten.sqrt.default": Op.SQRT,
    "aten.rsqrt.default": Op.RSQRT,
    "aten.reciprocal.default": Op.RECIPROCAL,
    "aten.abs.default": Op.ABS,
    "aten.sign.default": Op.SIGN,
    "aten.sin.default": Op.SIN,
    "aten.cos.default": Op.COS,
    "aten.erf.default": Op.ERF,
    "aten.log1p.default": Op.LOG1P,
    "aten.expm1.default": Op.EXPM1,
}
_BINARY = {
    "aten.mul": Op.MUL,
    "aten.div": Op.DIV,
    "aten.maximum": Op.MAXIMUM,
    "aten.minimum": Op.MINIMUM,
    "aten.gt": Op.GT,
    "aten.ge": Op.GE,
    "aten.eq": Op.EQ,
}
_SAME = ("aten.clone.default", "aten.alias.default", "aten.contiguous.default")
_VIEWS = ("aten.view.default", "aten._unsafe_view.default", "aten.reshape.default")


class Lifted(NamedTuple):
    """The state's part of a step, and what of the rest it stands on.

    Args:
        graph: holds the values.
        states: the leaves of the state after the step.
        emitted: values that the rest of the step needs.
        emitted_nodes: the nodes that these are.
        inputs: nodes that depend on x and not on the state.
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


def lift(traced: Trace, *, whole: bool = False) -> Lifted:
    """Split a trace at the state.

    Args:
        traced: a step.
        whole: take all of it, what depends on x alone too: for one step at a time.

    Raises:
        UnplannableError: the state goes through an operation that has no place in a program.
    """
    lifter = _Lifter(whole)
    states = [lifter.row(node) for node in traced.states]
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


class _Lifter:
    """Turns nodes of the state's part into values, and notes what they stand on."""

    def __init__(self, whole: bool) -> None:
        self.whole = whole
        self.graph = Graph()
        self.inputs: dict[Node, int] = {}
        self.vectors: dict[tuple[Node, int], int] = {}
        self.matrices: dict[Node, int] = {}
        self._lifted: dict[Node, Value] = {}

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
            raise UnplannableError(f"{_said(node)} is not of shape [B, n]")
        width, number = node.shape[1], constant(node)
        if number is not None:
            return self.graph.fill(number, width)
        if node.part is Part.INPUT and not (self.whole and node.operation):
            return self._input(node, width)
        if node.operation is None:
            if node.dtype != torch.float32:
                raise UnplannableError(f"a leaf of its state is {node.dtype}")
            return self.graph.leaf(Leaf.STATE, node.number, width)
        for kind in (self._unary, self._arithmetic, self._product, self._structure, self._special):
            value = kind(node, width)
            if value is not None:
                return value
        raise UnplannableError(f"{_said(node)} has no place in a program")

    def _input(self, node: Node, width: int) -> Value:
        """Return what depends on x alone; columns of something are taken in the loop."""
        span = _columns(node)
        if span is not None:
            base, column = span
            return self.graph.slice(self.row(base), column, width)
        if node.dtype != torch.float32:
            raise UnplannableError(f"{_said(node)} is {node.dtype}")
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

    def _unary(self, node: Node, width: int) -> Value | None:
        if node.name in _UNARY:
            return self.graph.op(_UNARY[node.name], self.operand(node.arguments[0], width))
        return None

    def _arithmetic(self, node: Node, width: int) -> Value | None:
        graph, args = self.graph, node.arguments
        name = node.name.rpartition(".")[0]
        if name in ("aten.add", "aten.sub", "aten.rsub"):
            one, other = args[:2] if name != "aten.rsub" else args[1::-1]
            alpha = float(node.keywords.get("alpha", args[2] if len(args) > 2 else 1))
            if name == "aten.rsub" and alpha != 1:
                raise UnplannableError("rsub with alpha has no place in a program")
            sign = alpha if name == "aten.add" else -alpha
            if isinstance(other, int | float):
                return graph.op(Op.OFFSET, self.operand(one, width), value=sign * other)
            scaled = graph.op(Op.SCALE, self.operand(other, width), value=sign)
            if isinstance(one, int | float):
                return graph.op(Op.OFFSET, scaled, value=float(one))
            return graph.op(Op.ADD, self.operand(one, width), scaled)
        if name in ("aten.mul", "aten.div") and isinstance(args[1], int | float):
            factor = args[1] if name == "aten.mul" else 1 / args[1]
            return graph.op(Op.SCALE, self.operand(args[0], width), value=float(factor))
        if name in _BINARY and "rounding_mode" not in node.keywords:
            return graph.op(_BINARY[name], *(self.operand(arg, width) for arg in args[:2]))
        if name in ("aten.lt", "aten.le"):
            op = Op.GT if name == "aten.lt" else Op.GE
            return graph.op(op, self.operand(args[1], width), self.operand(args[0], width))
        return None

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
        row, products, known = 0, [], []
        for part in _joined(a):
            size = part.shape[1]
            assert size is not None
            if part.part is Part.STATE or self.whole:
                number = self.matrices.setdefault(matrix, len(self.matrices))
                products.append((self.row(part), Block(number, row, 0, size)))
            else:
                known.append(_hoisted(part, matrix, row, width))
            row += size
        total = None if bias is None else self.operand(bias, width)
        for node in known:
            value = self.row(node)
            total = value if total is None else self.graph.op(Op.ADD, value, total)
        for left, block in products:
            total = self.graph.product(left, (block,), width, total)
        assert total is not None
        return total

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

    def _special(self, node: Node, width: int) -> Value | None:
        graph, args = self.graph, node.arguments
        special: dict[str, Callable[[], Value]] = {
            "aten.lerp.Tensor": lambda: graph.op(Op.LERP, *self._operands(args[:3], width)),
            "aten.lerp.Scalar": lambda: graph.op(Op.LERP, *self._operands(args[:3], width)),
            "aten.where.self": lambda: graph.op(Op.WHERE, *self._operands(args[:3], width)),
            "aten.square.default": lambda: self._power(args[0], 2.0, width),
            "aten.pow.Tensor_Scalar": lambda: self._power(args[0], float(args[1]), width),
            "aten.silu.default": lambda: self._silu(args[0], width),
            "aten.clamp.default": lambda: self._clamp(node, width),
            "aten.clamp_min.default": lambda: self._clamp(node, width),
            "aten.hardtanh.default": lambda: self._clamp(node, width),
            "aten.leaky_relu.default": lambda: self._leaky(node, width),
            "aten.addcmul.default": lambda: self._addcmul(node, width),
            "aten.softplus.default": lambda: self._softplus(node, width),
            "aten.sum.dim_IntList": lambda: self._sum(node, 1.0),
            "aten.mean.dim": lambda: self._sum(node, None),
            "aten.native_layer_norm.default": lambda: self._layer_norm(node, width),
        }
        return special[node.name]() if node.name in special else None

    def _operands(self, arguments: tuple[object, ...], width: int) -> list[Value]:
        return [self.operand(argument, width) for argument in arguments]

    def _power(self, argument: object, exponent: float, width: int) -> Value:
        base = self.operand(argument, width)
        if exponent == 2:
            return self.graph.op(Op.MUL, base, base)
        return self.graph.op(Op.POW, base, value=exponent)

    def _silu(self, argument: object, width: int) -> Value:
        x = self.operand(argument, width)
        return self.graph.op(Op.MUL, x, self.graph.op(Op.SIGMOID, x))

    def _clamp(self, node: Node, width: int) -> Value:
        value = self.operand(node.arguments[0], width)
        defaults = (-1.0, 1.0) if node.name == "aten.hardtanh.default" else (None, None)
        given = (*node.arguments[1:3], *defaults[len(node.arguments) - 1 :])
        low, high = (
            node.keywords.get(key, bound) for key, bound in zip(("min", "max"), given, strict=False)
        )
        if low is not None:
            value = self.graph.op(Op.MAXIMUM, value, self.graph.fill(float(low), width))
        if high is not None:
            value = self.graph.op(Op.MINIMUM, value, self.graph.fill(float(high), width))
        return value

    def _leaky(self, node: Node, width: int) -> Value:
        x = self.operand(node.arguments[0], width)
        slope = float(node.arguments[1]) if len(node.arguments) > 1 else 0.01
        positive = self.graph.op(Op.GT, x, self.graph.fill(0.0, width))
        return self.graph.op(Op.WHERE, positive, x, self.graph.op(Op.SCALE, x, value=slope))

    def _addcmul(self, node: Node, width: int) -> Value:
        whole, one, other = self._operands(node.arguments[:3], width)
        product = self.graph.op(Op.MUL, one, other)
        scaled = self.graph.op(Op.SCALE, product, value=float(node.keywords.get("value", 1)))
        return self.graph.op(Op.ADD, whole, scaled)

    def _softplus(self, node: Node, width: int) -> Value:
        if len(node.arguments) > 1 and tuple(node.arguments[1:]) != (1, 20):
            raise UnplannableError("softplus with beta or threshold has no place in a program")
        x, graph = self.operand(node.arguments[0], width), self.graph
        soft = graph.op(Op.LOG1P, graph.op(Op.EXP, x))
        return graph.op(Op.WHERE, graph.op(Op.GT, x, graph.fill(20.0, width)), x, soft)

    def _sum(self, node: Node, factor: float | None) -> Value:
        dims, keep = node.arguments[1], len(node.arguments) > 2 and node.arguments[2]
        if [dim % 2 for dim in dims] != [1] or not keep:
            raise UnplannableError(f"{_said(node)} has no place in a program")
        value = self.row(node.arguments[0])
        scale = 1 / value.width if factor is None else factor
        return self.graph.op(Op.SCALE, self.graph.row_sum(value), value=scale)

    def _layer_norm(self, node: Node, width: int) -> Value:
        source, sizes, weight, bias, eps = node.arguments
        if node.index != 0 or list(sizes) != [width]:
            raise UnplannableError(f"{_said(node)} has no place in a program")
        graph, x = self.graph, self.row(source)
        mean = graph.op(Op.SCALE, graph.row_sum(x), value=1 / width)
        centred = graph.op(Op.SUB, x, graph.spread(mean, width))
        squares = graph.row_sum(graph.op(Op.MUL, centred, centred))
        variance = graph.op(Op.SCALE, squares, value=1 / width)
        scale = graph.op(Op.RSQRT, graph.op(Op.OFFSET, variance, value=eps))
        y = graph.op(Op.MUL, centred, graph.spread(scale, width))
        if weight is not None:
            y = graph.op(Op.MUL, y, self.operand(weight, width))
        return y if bias is None else graph.op(Op.ADD, y, self.operand(bias, width))


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


def _hoisted(part: Node, matrix: Node, row: int, width: int) -> Node:
    """Return a new node: the product of what is known before the loop with its rows."""
    stop = row + (part.shape[1] or 0)
    rows = matrix
    if (row, stop) != (0, matrix.shape[0]):
        shape = (stop - row, matrix.shape[1])
        rows = Node(Part.STATIC, shape, matrix.dtype, _aten.slice.Tensor, (matrix, 0, row, stop))
    return Node(Part.INPUT, (None, width), part.dtype, _aten.mm.default, (part, rows))


def _said(node: Node) -> str:
    return node.name.removesuffix(".default") if node.operation else "an argument"
