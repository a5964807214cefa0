"""Gradients of a step: values that say how a loss depends on what the step was given."""

from collections.abc import Callable, Set
from itertools import pairwise
from math import pi, sqrt
from typing import NamedTuple

from unrolled.kernels.graph import Graph, Leaf, Value, base_of, in_order, uses_of, waiting
from unrolled.kernels.program import Block, Op


class Gradients(NamedTuple):
    """What a step's backward pass computes.

    Args:
        given: the gradient of every given value, or None where there is none.
        products: by left factor, its products and the gradient of what they gave, side by side.
    """

    given: dict[Value, Value | None]
    products: dict[Value, tuple[list[Value], Value]]


def fold(graph: Graph, roots: list[Value], *, all_apart: bool = False) -> list[Value]:
    """Let products begin from what is added to them, so that only their sum is kept.

    A product whose columns are used apart is taken apart. Products that wait for no state are
    what others begin from.

    Args:
        graph: holds the values.
        roots: what is wanted.
        all_apart: these are taken apart too, so that no instruction comes between products; a few
            large products are faster where the weights are at hand.
    """
    uses, late = uses_of(roots), waiting(roots)
    levels = levels_of(roots, early=uses.keys() - late)
    folded: dict[Value, Value] = {}  # by sum, the product that begins from the rest of it
    apart: set[Value] = set()
    for product in [value for value in uses if value.kind is Leaf.PRODUCT and value in late]:
        pieces = uses[product]
        if all(piece.kind is Leaf.SLICE for piece in pieces) and _disjoint(pieces):
            found = {
                use: p
                for p in pieces
                if p not in roots
                if (use := _sum(p, uses, levels, levels[product]))
            }
            if found and product not in roots:
                apart.update(pieces)
                folded.update(found)
        elif product not in roots and (use := _sum(product, uses, levels, levels[product])):
            folded[use] = product
    rests = {use.args[1 - use.args.index(mine)] for use, mine in folded.items()}
    early = [value for value in uses if value.kind is Leaf.PRODUCT and value not in late]
    for product in early if all_apart else []:
        pieces = uses[product]
        sliced = product not in roots and all(piece.kind is Leaf.SLICE for piece in pieces)
        if sliced and _disjoint(pieces) and not rests.isdisjoint(pieces):
            apart.update(pieces)

    new: dict[Value, Value] = {}
    for old in uses:
        args = tuple(new[arg] for arg in old.args)
        if old in folded:
            mine, rest = folded[old], old.args[1 - old.args.index(folded[old])]
            alone = uses[rest] == [old] and rest not in roots
            new[old] = _begin_from(graph, new[mine], new[rest], alone=alone)
        elif old in apart:
            new[old] = _columns(graph, new[old.args[0]], old.number, old.width)
        elif args == old.args:
            new[old] = old
        elif old.kind is Leaf.SLICE:
            new[old] = graph.slice(args[0], old.number, old.width)
        elif old.kind is Leaf.CONCAT:
            new[old] = graph.concat(args)
        else:
            new[old] = graph.make(
                old.kind, args, old.width, number=old.number, value=old.value, blocks=old.blocks
            )
    return [new[root] for root in roots]


def levels_of(
    roots: list[Value], given: Set[Value] = frozenset(), *, early: Set[Value] = frozenset()
) -> dict[Value, int]:
    """Return how many products each value has to wait for, one after the other.

    Args:
        roots: what is wanted.
        given: values that are there already.
        early: values that need not be waited for.
    """
    levels: dict[Value, int] = {}
    for value in in_order(roots, given):
        level = max((levels[arg] for arg in value.args), default=0) if value not in given else 0
        counts = value.kind is Leaf.PRODUCT and value not in given and value not in early
        levels[value] = level + counts
    return levels


def _sum(
    value: Value, uses: dict[Value, list[Value]], levels: dict[Value, int], level: int
) -> Value | None:
    """Return the sum that is a value's only use, if its other part is there before the product."""
    if len(uses[value]) != 1 or uses[value][0].kind is not Op.ADD:
        return None
    total = uses[value][0]
    other = total.args[1 - total.args.index(value)]
    return total if levels[other] < level else None


def _disjoint(pieces: list[Value]) -> bool:
    spans = sorted((piece.number, piece.number + piece.width) for piece in pieces)
    return all(one[1] <= other[0] for one, other in pairwise(spans))


def _begin_from(graph: Graph, product: Value, other: Value, *, alone: bool) -> Value:
    """Return a product that begins from another value too, which nothing else may use."""
    a, *init = product.args
    start = _plus(graph, other, init[0], alone=alone) if init else other
    return graph.product(a, product.blocks, product.width, start)


def _plus(graph: Graph, value: Value, start: Value, *, alone: bool) -> Value:
    """Return a sum; of a product as one that begins from what is given, so that products follow."""
    if value.kind is not Leaf.PRODUCT or not base_of(start).is_given or not alone:
        return graph.op(Op.ADD, value, start)
    a, *init = value.args
    whole = graph.op(Op.ADD, init[0], start) if init else start
    return graph.product(a, value.blocks, value.width, whole)


def _columns(graph: Graph, product: Value, column: int, width: int) -> Value:
    a, *init = product.args
    blocks = tuple(
        Block(block.matrix, block.row, block.column + column, block.k) for block in product.blocks
    )
    start = graph.slice(init[0], column, width) if init else None
    return graph.product(a, blocks, width, start)


def differentiate(graph: Graph, seeds: list[tuple[Value, Value]]) -> Gradients:
    """Return how a loss depends on what a step was given and on its products.

    Args:
        graph: of the step; gradients are made in it.
        seeds: values that left the step, each with its gradient.
    """
    backward = _Backward(graph)
    for value, gradient in seeds:
        backward.add(value, gradient)
    order = in_order([value for value, _ in seeds])
    for value in reversed(order):
        backward.pass_on(value)
    return Gradients(
        {value: backward.gradient(value) for value in order if value.is_given},
        {a: (list(found), backward.joined(found)) for a, found in backward.products.items()},
    )


class _Backward:
    """Gradients in the making: what reached each value, and where in it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.products: dict[Value, dict[Value, Value]] = {}
        self._reached: dict[Value, list[tuple[int, Value]]] = {}

    def add(self, value: Value, gradient: Value, column: int = 0) -> None:
        self._reached.setdefault(value, []).append((column, gradient))

    def gradient(self, value: Value) -> Value | None:
        """Return the sum of what reached a value; columns that nothing reached are 0."""
        layers: list[list[tuple[int, Value]]] = []
        for column, gradient in sorted(self._reached.get(value, []), key=lambda item: item[0]):
            for layer in layers:
                if layer[-1][0] + layer[-1][1].width <= column:
                    layer.append((column, gradient))
                    break
            else:
                layers.append([(column, gradient)])
        whole = [self._filled(layer, value.width) for layer in layers]
        return self.graph.total(whole) if whole else None

    def _filled(self, layer: list[tuple[int, Value]], width: int) -> Value:
        parts, at = [], 0
        for column, gradient in layer:
            if column > at:
                parts.append(self.graph.fill(0.0, column - at))
            parts.append(gradient)
            at = column + gradient.width
        if at < width:
            parts.append(self.graph.fill(0.0, width - at))
        return self.graph.concat(parts)

    def joined(self, found: dict[Value, Value]) -> Value:
        """Return the gradients of a left factor's products, side by side."""
        return self.graph.concat(found.values())

    def pass_on(self, value: Value) -> None:
        """Let the gradient of a value reach its arguments."""
        if value in self.products:
            found = dict(sorted(self.products[value].items(), key=lambda item: _place(item[0])))
            self.products[value] = found
            blocks = tuple(
                Block(block.matrix, block.row, block.column, product.width, transposed=True)
                for product in found
                for block in product.blocks
            )
            joined = self.joined(found)
            self.add(value, self.graph.product(joined, blocks, value.width, None))
        gradient = self.gradient(value)
        if gradient is None or value.is_given:
            return
        if value.kind is Leaf.PRODUCT:
            a, *init = value.args
            self.products.setdefault(a, {})[value] = gradient
            self._reached.setdefault(a, [])
            for start in init:
                self.add(start, gradient)
        elif value.kind is Leaf.SLICE:
            self.add(value.args[0], gradient, value.number)
        elif value.kind is Leaf.CONCAT:
            at = 0
            for part in value.args:
                self.add(part, self.graph.slice(gradient, at, part.width))
                at += part.width
        elif value.kind is not Op.FILL:
            assert isinstance(value.kind, Op)
            for arg, share in zip(
                value.args, _RULES[value.kind](self.graph, value, gradient), strict=True
            ):
                if share is not None:
                    self.add(arg, share)


def _place(product: Value) -> tuple[int, int, int]:
    block = product.blocks[0]
    return block.matrix, block.row, block.column


Rule = Callable[[Graph, Value, Value], tuple[Value | None, ...]]


def _multiply(graph: Graph, y: Value, g: Value) -> tuple[Value | None, ...]:
    a, b = y.args
    if a is b:
        return graph.op(Op.SCALE, graph.op(Op.MUL, g, a), value=2.0), None
    return graph.op(Op.MUL, g, b), graph.op(Op.MUL, g, a)


def _divide(graph: Graph, y: Value, g: Value) -> tuple[Value | None, ...]:
    share = graph.op(Op.DIV, g, y.args[1])
    return share, graph.op(Op.NEG, graph.op(Op.MUL, share, y))


def _mix(graph: Graph, y: Value, g: Value) -> tuple[Value | None, ...]:
    a, b, c = y.args
    to_b = graph.op(Op.MUL, g, c)
    return graph.op(Op.SUB, g, to_b), to_b, graph.op(Op.MUL, g, graph.op(Op.SUB, b, a))


def _larger(graph: Graph, y: Value, g: Value) -> tuple[Value | None, ...]:
    large, small = y.args if y.kind is Op.MAXIMUM else y.args[::-1]  # where the first is chosen
    # Torch shares the gradient where both are equal.
    tie = graph.op(Op.SCALE, graph.op(Op.EQ, large, small), value=0.5)
    first = graph.op(Op.MUL, g, graph.op(Op.ADD, graph.op(Op.GT, large, small), tie))
    return first, graph.op(Op.SUB, g, first)


def _choose(graph: Graph, y: Value, g: Value) -> tuple[Value | None, ...]:
    mask, zero = y.args[0], graph.fill(0.0, g.width)
    return None, graph.op(Op.WHERE, mask, g, zero), graph.op(Op.WHERE, mask, zero, g)


def _times(factor: Callable[[Graph, Value, Value], Value]) -> Rule:
    """Return the rule of a function of one argument with derivative ``factor(graph, x, y)``."""
    return lambda graph, y, g: (graph.op(Op.MUL, g, factor(graph, y.args[0], y)),)


def _scaled(graph: Graph, g: Value, value: float) -> Value:
    return graph.op(Op.SCALE, g, value=value)


_RULES: dict[Op, Rule] = {
    Op.NEG: lambda graph, _, g: (graph.op(Op.NEG, g),),
    Op.ADD: lambda _graph, _, g: (g, g),
    Op.SUB: lambda graph, _, g: (g, graph.op(Op.NEG, g)),
    Op.MUL: _multiply,
    Op.DIV: _divide,
    Op.LERP: _mix,
    Op.SCALE: lambda graph, y, g: (_scaled(graph, g, y.value),),
    Op.OFFSET: lambda _graph, _, g: (g,),
    Op.MAXIMUM: _larger,
    Op.MINIMUM: _larger,
    Op.SIGMOID: lambda graph, y, g: (graph.op(Op.DSIGMOID, g, y),),
    Op.TANH: lambda graph, y, g: (graph.op(Op.DTANH, g, y),),
    Op.RELU: lambda graph, y, g: (graph.op(Op.WHERE, y, g, graph.fill(0.0, g.width)),),
    Op.EXP: _times(lambda _graph, _, y: y),
    Op.LOG: lambda graph, y, g: (graph.op(Op.DIV, g, y.args[0]),),
    Op.SQRT: lambda graph, y, g: (_scaled(graph, graph.op(Op.DIV, g, y), 0.5),),
    Op.RSQRT: _times(
        lambda graph, _, y: _scaled(graph, graph.op(Op.MUL, y, graph.op(Op.MUL, y, y)), -0.5)
    ),
    Op.RECIPROCAL: _times(lambda graph, _, y: graph.op(Op.NEG, graph.op(Op.MUL, y, y))),
    Op.ABS: _times(lambda graph, x, _: graph.op(Op.SIGN, x)),
    Op.SIGN: lambda *_: (None,),
    Op.SIN: _times(lambda graph, x, _: graph.op(Op.COS, x)),
    Op.COS: _times(lambda graph, x, _: graph.op(Op.NEG, graph.op(Op.SIN, x))),
    Op.ERF: _times(
        lambda graph, x, _: _scaled(
            graph, graph.op(Op.EXP, graph.op(Op.NEG, graph.op(Op.MUL, x, x))), 2 / sqrt(pi)
        )
    ),
    Op.LOG1P: lambda graph, y, g: (graph.op(Op.DIV, g, graph.op(Op.OFFSET, y.args[0], value=1.0)),),
    Op.EXPM1: _times(lambda graph, _, y: graph.op(Op.OFFSET, y, value=1.0)),
    Op.POW: _times(
        lambda graph, x, y: _scaled(graph, graph.op(Op.POW, x, value=y.value - 1), y.value)
    ),
    Op.NORMALIZE: lambda graph, y, g: (graph.op(Op.DNORMALIZE, g, y.args[0], value=y.value),),
    Op.GT: lambda *_: (None, None),
    Op.GE: lambda *_: (None, None),
    Op.EQ: lambda *_: (None, None),
    Op.WHERE: _choose,
    Op.SPREAD: lambda graph, _, g: (graph.row_sum(g),),
    Op.ROW_SUM: lambda graph, y, g: (graph.spread(g, y.args[0].width),),
}
