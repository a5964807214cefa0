"""Groups: the products of a step with one left factor, whose weights learn in one product each."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from unrolled.kernels.graph import Leaf, Value, base_of
from unrolled.kernels.program import Block


class Piece(NamedTuple):
    """What products with one left factor have of a matrix.

    Args:
        matrix: which one.
        row: the first row.
        k: rows.
        column: the first column.
        span: the columns of the group's buffer that these gave.
    """

    matrix: int
    row: int
    k: int
    column: int
    span: slice

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.span.stop - self.span.start)


@dataclass(frozen=True)
class Group:
    """The products with one left factor.

    Args:
        factor: the left factor.
        products: in the order of their columns in the group's buffer.
    """

    factor: Value
    products: list[Value]

    @cached_property
    def width(self) -> int:
        """The columns of all products."""
        return sum(product.width for product in self.products)

    @cached_property
    def pieces(self) -> list[Piece]:
        """What they have of matrices, neighbours as one."""
        pieces: list[Piece] = []
        at = 0
        for product in self.products:
            (block,) = product.blocks
            span = slice(at, at + product.width)
            at = span.stop
            if pieces:
                last = pieces[-1]
                follows = (last.matrix, last.row, last.k, last.column + last.width)
                if follows == (block.matrix, block.row, block.k, block.column):
                    pieces[-1] = last._replace(span=slice(last.span.start, span.stop))
                    continue
            pieces.append(Piece(block.matrix, block.row, block.k, block.column, span))
        return pieces


def groups_of(values: Iterable[Value]) -> list[Group]:
    """Return the products among values, by left factor."""
    found: dict[Value, list[Value]] = {}
    for value in values:
        if value.kind is Leaf.PRODUCT:
            found.setdefault(value.args[0], []).append(value)
    return [Group(factor, sorted(products, key=_place)) for factor, products in found.items()]


def _place(product: Value) -> tuple[int, int, int]:
    block: Block = product.blocks[0]
    return block.matrix, block.row, block.column


def is_stored(factor: Value) -> bool:
    """Tell whether a left factor is there for all steps: a state, an input, or columns of one."""
    return base_of(factor).kind in (Leaf.STATE, Leaf.INPUT)
