"""Values: a step's arithmetic on rows of numbers, as a graph that can be differentiated.

Every value is a matrix of rows, ``[rows, width]``. What is equal is made once, so that a graph
holds no computation twice.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from unrolled.kernels.program import Block, Op


class Leaf(Enum):
    """Values that a step is given, and the structure between values."""

    STATE = "state"  # a leaf of the state before the step
    INPUT = "input"  # what was computed from x, for all steps at once
    VECTOR = "vector"  # the same in every row
    GRADIENT = "gradient"  # of what a step gave out
    STATE_GRADIENT = "state gradient"  # of a leaf of the state after the step
    SAVED = "saved"  # computed in the forward pass, and kept
    PRODUCT = "product"  # [init +] a @ weight
    SLICE = "slice"  # some columns
    CONCAT = "concat"  # columns side by side


@dataclass(frozen=True, eq=False)
class Value:
    """A matrix of rows.

    Args:
        kind: what makes it.
        args: what it is made from; of a product, a and perhaps init.
        width: columns.
        number: of a leaf among its kind, or the first column of a slice.
        value: the number in an instruction.
        blocks: of a product's weight.
    """

    kind: Op | Leaf
    args: tuple["Value", ...]
    width: int
    number: int = 0
    value: float = 0.0
    blocks: tuple[Block, ...] = ()

    @property
    def is_given(self) -> bool:
        """Tell whether it is there before the step begins."""
        return not self.args and isinstance(self.kind, Leaf)

    @property
    def is_computed(self) -> bool:
        """Tell whether an instruction makes it."""
        return isinstance(self.kind, Op)


class Graph:
    """Makes values, each of them once."""

    def __init__(self) -> None:
        self._made: dict[Any, Value] = {}

    def make(
        self,
        kind: Op | Leaf,
        args: tuple[Value, ...],
        width: int,
        *,
        number: int = 0,
        value: float = 0.0,
        blocks: tuple[Block, ...] = (),
    ) -> Value:
        """Return the value of this description."""
        key = (kind, tuple(map(id, args)), width, number, value, blocks)
        if key not in self._made:
            self._made[key] = Value(kind, args, width, number, value, blocks)
        return self._made[key]

    def leaf(self, kind: Leaf, number: int, width: int) -> Value:
        """Return a value that is given."""
        return self.make(kind, (), width, number=number)

    def op(self, op: Op, *args: Value, value: float = 0.0) -> Value:
        """Return what an operation makes of values of equal width."""
        return _simpler(self, op, args, value) or self.make(op, args, args[0].width, value=value)

    def fill(self, value: float, width: int) -> Value:
        """Return a value whose elements are all one number."""
        return self.make(Op.FILL, (), width, value=value)

    def spread(self, column: Value, width: int) -> Value:
        """Return one column, repeated."""
        if width == 1:
            return column
        if column.kind is Op.FILL:
            return self.fill(column.value, width)
        return self.make(Op.SPREAD, (column,), width)

    def row_sum(self, value: Value) -> Value:
        """Return the sum of each row."""
        return value if value.width == 1 else self.make(Op.ROW_SUM, (value,), 1)

    def slice(self, value: Value, column: int, width: int) -> Value:
        """Return ``width`` columns from ``column`` on."""
        if (column, width) == (0, value.width):
            return value
        if value.kind is Leaf.SLICE:
            return self.slice(value.args[0], value.number + column, width)
        if value.kind is Op.FILL:
            return self.fill(value.value, width)
        if value.kind is Leaf.CONCAT:
            return self.concat(self._parts(value, column, width))
        return self.make(Leaf.SLICE, (value,), width, number=column)

    def concat(self, parts: Iterable[Value]) -> Value:
        """Return values side by side."""
        flat: list[Value] = []
        for part in parts:
            flat += part.args if part.kind is Leaf.CONCAT else (part,)
        if len(flat) == 1:
            return flat[0]
        return self.make(Leaf.CONCAT, tuple(flat), sum(part.width for part in flat))

    def product(self, a: Value, blocks: tuple[Block, ...], width: int, init: Value | None) -> Value:
        """Return [init +] a @ the blocks, one below the other."""
        return self.make(Leaf.PRODUCT, (a,) if init is None else (a, init), width, blocks=blocks)

    def total(self, values: list[Value]) -> Value:
        """Return the sum of values."""
        whole, *rest = values
        for value in rest:
            whole = self.op(Op.ADD, whole, value)
        return whole

    def _parts(self, value: Value, column: int, width: int) -> list[Value]:
        found, at = [], 0
        for part in value.args:
            low, high = max(column, at), min(column + width, at + part.width)
            if low < high:
                found.append(self.slice(part, low - at, high - low))
            at += part.width
        return found


def _simpler(graph: Graph, op: Op, args: tuple[Value, ...], value: float) -> Value | None:
    """Return the value if a simpler operation makes it, exactly."""
    if (op is Op.SCALE and value == 1) or (op is Op.OFFSET and value == 0):
        return args[0]
    if op is Op.SCALE and args[0].kind is Op.NEG:
        return graph.op(Op.SCALE, args[0].args[0], value=-value)
    if op is Op.SCALE and value == -1:
        return graph.op(Op.NEG, args[0])
    if op is Op.NEG and args[0].kind is Op.NEG:
        return args[0].args[0]
    if op is Op.ADD and args[1].kind is Op.NEG:
        return graph.op(Op.SUB, args[0], args[1].args[0])
    if op is Op.ADD and args[0].kind is Op.NEG:
        return graph.op(Op.SUB, args[1], args[0].args[0])
    if op is Op.SUB and args[1].kind is Op.NEG:
        return graph.op(Op.ADD, args[0], args[1].args[0])
    return None


def base_of(value: Value) -> Value:
    """Return what a value is columns of."""
    return base_of(value.args[0]) if value.kind is Leaf.SLICE else value


def in_order(roots: Iterable[Value], given: Container[Value] = frozenset()) -> list[Value]:
    """Return the values that roots are made from, and these, every value after its arguments.

    Args:
        roots: what is wanted.
        given: values that are there already, whatever they were made from.
    """
    order: dict[Value, None] = {}
    for root in roots:
        todo = [(root, False)]
        while todo:
            value, done = todo.pop()
            if done or value in given:
                order[value] = None
            elif value not in order:
                todo.append((value, True))
                todo += [(arg, False) for arg in reversed(value.args) if arg not in order]
    return list(order)


def uses_of(roots: list[Value]) -> dict[Value, list[Value]]:
    """Return, of every value, those that are made from it, once for each time."""
    uses: dict[Value, list[Value]] = {value: [] for value in in_order(roots)}
    for value in uses:
        for arg in value.args:
            uses[arg].append(value)
    return uses


def waiting(roots: list[Value]) -> set[Value]:
    """Return the values that depend on the state before the step."""
    found: set[Value] = set()
    for value in in_order(roots):
        if value.kind is Leaf.STATE or not found.isdisjoint(value.args):
            found.add(value)
    return found
