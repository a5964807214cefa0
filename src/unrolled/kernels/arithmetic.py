"""Arithmetic: torch's operations on numbers, as values."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from unrolled.kernels.graph import Graph, Value
from unrolled.kernels.program import Op
from unrolled.kernels.trace import Node, UnplannableError

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


class Arithmetic(ABC):
    """Turns operations on numbers into values; where the arguments come from is left open."""

    graph: Graph

    @abstractmethod
    def row(self, node: Node) -> Value:
        """Return the value of a node of shape [B, n]."""

    @abstractmethod
    def operand(self, argument: object, width: int) -> Value:
        """Return an argument of arithmetic, made ``width`` wide as broadcasting does."""

    def unary(self, node: Node, width: int) -> Value | None:
        """Return the value of a function of one argument, or None if the node is none."""
        if node.name in _UNARY:
            return self.graph.op(_UNARY[node.name], self.operand(node.arguments[0], width))
        return None

    def binary(self, node: Node, width: int) -> Value | None:
        """Return the value of a function of two arguments, or None if the node is none."""
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

    def special(self, node: Node, width: int) -> Value | None:
        """Return the value of what takes several operations, or None if the node is none."""
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
            raise UnplannableError(f"{said(node)} has no place in a program")
        value = self.row(node.arguments[0])
        scale = 1 / value.width if factor is None else factor
        return self.graph.op(Op.SCALE, self.graph.row_sum(value), value=scale)

    def _layer_norm(self, node: Node, width: int) -> Value:
        source, sizes, weight, bias, eps = node.arguments
        if node.index != 0 or list(sizes) != [width]:
            raise UnplannableError(f"{said(node)} has no place in a program")
        graph, x = self.graph, self.row(source)
        y = graph.op(Op.NORMALIZE, x, value=eps)
        if weight is not None:
            y = graph.op(Op.MUL, y, self.operand(weight, width))
        return y if bias is None else graph.op(Op.ADD, y, self.operand(bias, width))


def said(node: Node) -> str:
    """Return how to name a node to its author."""
    return node.name.removesuffix(".default") if node.operation else "an argument"
