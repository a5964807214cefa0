"""Programs: what one step of a recurrence does to rows of numbers, and how it is driven over time.

A program is a list of stages that is run once for every step t, upwards or downwards. Step t has
``counts[t]`` active rows, which never grow with t; the rows of all steps lie one step after the
other in time-major buffers, so that row i of step t is row ``offset[t] + i``, where ``offset``
is the running sum of ``counts``. Sequences of unequal length, longest first, cost no more than
their steps.
"""

from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """Where row i of step t lies in a buffer."""

    SEQUENCE = 0  # [N, width], row offset[t] + i
    PREVIOUS = 1  # [counts[0] + N, width], row i at t = 0, then row counts[0] + offset[t - 1] + i
    ROWS = 2  # [counts[0], width], row i, whatever t: what is carried from step to step
    TILE = 3  # no tensor: lives within one pointwise stage, in scratch
    VECTOR = 4  # [width], the same for every row and step
    TOTAL = 5  # [width], to which TOTAL instructions add over rows and steps
    BETWEEN = 6  # no tensor: passes between the stages of one step, in scratch


class Op(IntEnum):
    """What an instruction does, element by element; a, b, c are its arguments, v its value."""

    COPY = 0  # a
    FILL = 1  # v
    NEG = 2  # -a
    ADD = 3  # a + b
    SUB = 4  # a - b
    MUL = 5  # a * b
    DIV = 6  # a / b
    MULADD = 7  # a * b + c
    LERP = 8  # a + c * (b - a)
    SCALE = 9  # v * a
    OFFSET = 10  # a + v
    MAXIMUM = 11  # max(a, b), NaN if one is
    MINIMUM = 12  # min(a, b), NaN if one is
    SIGMOID = 13
    TANH = 14
    RELU = 15  # max(a, 0), NaN if a is
    EXP = 16
    LOG = 17
    SQRT = 18
    RSQRT = 19
    RECIPROCAL = 20
    ABS = 21
    SIGN = 22  # -1, 0 or 1
    SIN = 23
    COS = 24
    ERF = 25
    LOG1P = 26
    EXPM1 = 27
    POW = 28  # a ** v
    GT = 29  # 1 where a > b, else 0
    GE = 30
    EQ = 31
    WHERE = 32  # b where a is not 0, else c
    DSIGMOID = 33  # a * b * (1 - b): the gradient a through b = sigmoid(.)
    DTANH = 34  # a * (1 - b * b): the gradient a through b = tanh(.)
    ROW_SUM = 35  # out has one column: the sum of the row a
    ROW_MAX = 36  # out has one column: the largest of the row a
    SPREAD = 37  # a has one column: repeated n times
    TOTAL = 38  # out, of kind TOTAL, += the sum of a over the rows
    NORMALIZE = 39  # (a - mean) / sqrt(variance + v), both of the row
    DNORMALIZE = 40  # the gradient a through NORMALIZE of b


@dataclass(frozen=True)
class Buffer:
    """A matrix of rows.

    Args:
        kind: where a row lies.
        width: columns, also the distance of one row to the next.
    """

    kind: Kind
    width: int


@dataclass(frozen=True)
class Operand:
    """Columns of a buffer, from ``column`` on."""

    buffer: int
    column: int = 0


@dataclass(frozen=True)
class Instruction:
    """One operation on ``n`` columns of every active row.

    ``out`` may be one of the arguments, column for column; it overlaps with none otherwise.
    """

    op: Op
    n: int
    out: Operand
    args: tuple[Operand, ...] = ()
    value: float = 0.0


@dataclass(frozen=True)
class Pointwise:
    """Instructions, in order; rows do not see each other."""

    instructions: tuple[Instruction, ...]


@dataclass(frozen=True)
class Block:
    """Rows and columns of a matrix that was given to the program.

    Args:
        matrix: which one.
        row: the first row.
        column: the first column.
        k: how many rows of the product's weight it makes.
        transposed: the weight is the transpose of the block, whose columns then count k.
    """

    matrix: int
    row: int
    column: int
    k: int
    transposed: bool = False


@dataclass(frozen=True)
class Product:
    """out[:n] = init[:n] + a[:k] @ weight, the blocks of ``weight [k, n]`` one below the other.

    ``init`` may be ``out``; None is 0. Each element is a sum in the order of k, so that a row's
    result does not depend on how many rows there are.
    """

    a: Operand
    weight: tuple[Block, ...]
    n: int
    out: Operand
    init: Operand | None = None

    @property
    def k(self) -> int:
        """The length of the sums."""
        return sum(block.k for block in self.weight)


Stage = Product | Pointwise


@dataclass(frozen=True)
class Program:
    """Stages that are run once for every step.

    Args:
        buffers: all that stages name.
        stages: in order.
        reverse: t goes from the last step to the first.
    """

    buffers: tuple[Buffer, ...]
    stages: tuple[Stage, ...]
    reverse: bool = False
