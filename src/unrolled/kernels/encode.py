"""Programs as bytes for the native library, checked so that none can reach outside its buffers."""

import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import pack
from typing import Any

from unrolled.errors import ConfigError
from unrolled.kernels.program import (
    Buffer,
    Instruction,
    Kind,
    Op,
    Operand,
    Pointwise,
    Product,
    Program,
)

TILE_FLOATS = 1024  # of the widest operand of a stage: a tile of rows then stays in the first cache
STAGE_BYTES = 16  # of a record
MAX_TERMS = 8  # products that are computed together, as in ``native/program.h``

_ARGUMENTS = {
    **dict.fromkeys(Op, 1),
    Op.FILL: 0,
    **dict.fromkeys([Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.MAXIMUM, Op.MINIMUM], 2),
    **dict.fromkeys([Op.GT, Op.GE, Op.EQ, Op.DSIGMOID, Op.DTANH, Op.DNORMALIZE], 2),
    **dict.fromkeys([Op.MULADD, Op.LERP, Op.WHERE], 3),
}
_ROWS = (Kind.SEQUENCE, Kind.PREVIOUS, Kind.ROWS, Kind.BETWEEN)  # that outlive a stage
_TO_ONE_COLUMN = (Op.ROW_SUM, Op.ROW_MAX)
_NONE = Operand(-1)


@dataclass(frozen=True)
class Encoded:
    """A checked program; the records have the layout of ``native/program.h``.

    Args:
        buffers: records of the buffers.
        stages: records of the stages.
        instructions: records of all instructions.
        products: records of all products.
        scratch_floats: what the tiles of the largest stage need.
        total_numbers: columns of all TOTAL buffers.
        between_floats: columns of all BETWEEN buffers.
        weight_places: for each product, floats before its panels.
        packed_floats: of the panels of all products.
        lanes: floats of a vector, on which the panels depend.
        sizes: for each buffer the number of its kind, and its columns.
        laid_out: what the library was told of the matrices last, by where these lay: optimizers
            write into weights, and rarely move them.
        shapes: of the buffers, by how many rows there were last, at first and in all.
    """

    buffers: bytes
    stages: bytes
    instructions: bytes
    products: bytes
    scratch_floats: int
    total_numbers: int
    between_floats: int
    weight_places: tuple[int, ...]
    packed_floats: int
    lanes: int
    sizes: tuple[tuple[int, int], ...]
    laid_out: dict[Any, Any] = field(default_factory=dict)
    shapes: dict[tuple[int, int], list[tuple[int, int] | None]] = field(default_factory=dict)


_ENCODED: dict[tuple[int, int], Encoded] = {}


def encoded(program: Program, lanes: int) -> Encoded:
    """Return the encoding of a program, made when it is first asked for.

    Raises:
        ConfigError: an operand lies outside its buffer, or is of a kind that cannot stand there.
    """
    # By identity: hashing hundreds of instructions would cost more than a run of few steps.
    key = (id(program), lanes)
    found = _ENCODED.get(key)
    if found is None:
        found = _ENCODED[key] = _encode(program, lanes)
        weakref.finalize(program, _ENCODED.pop, key, None)
    return found


def _encode(program: Program, lanes: int) -> Encoded:
    stages: list[bytes] = []
    instructions: list[bytes] = []
    products: list[bytes] = []
    weight_places: list[int] = []
    packed_floats = scratch_floats = 0
    places = _places(program.buffers)
    together: list[Product] = []  # the products of the last stage
    for number, stage in enumerate(program.stages):
        where = f"stage {number}"
        if isinstance(stage, Product):
            _check_product(program, stage, where)
            if together and _may_join(together, stage):
                stages.pop()
            else:
                together = []
            together.append(stage)
            stages.append(pack("=4i", 1, len(products) + 1 - len(together), len(together), 0))
            products.append(_product_record(stage, packed_floats))
            weight_places.append(packed_floats)
            packed_floats += -(-stage.n // lanes) * lanes * stage.k
            continue
        together = []
        _check_pointwise(program, stage, where)
        rows = _tile_rows(stage)
        stages.append(pack("=4i", 0, len(instructions), len(stage.instructions), rows))
        instructions += [_instruction_record(each) for each in stage.instructions]
        scratch_floats = max(scratch_floats, rows * _columns(program.buffers, Kind.TILE))
    _check_tiles(program)
    _check_between(program)
    return Encoded(
        b"".join(
            pack("=2iq", buffer.kind, buffer.width, place)
            for buffer, place in zip(program.buffers, places, strict=True)
        ),
        b"".join(stages),
        b"".join(instructions),
        b"".join(products),
        scratch_floats,
        _columns(program.buffers, Kind.TOTAL),
        _columns(program.buffers, Kind.BETWEEN),
        tuple(weight_places),
        packed_floats,
        lanes,
        tuple((int(buffer.kind), buffer.width) for buffer in program.buffers),
    )


def _may_join(products: list[Product], product: Product) -> bool:
    """Tell whether a product can be made a few columns at a time, by turns with those before it.

    Each of them then goes on from what is still at hand, and their weights are met in one order.
    """
    if len(products) == MAX_TERMS:
        return False
    return all(
        other.n == product.n
        and not _overlap(product.a, product.k, other.out, other.n)
        and not _overlap(other.a, other.k, product.out, product.n)
        and all(_same_or_apart(other.out, mine, product.n) for mine in (product.init, product.out))
        and _same_or_apart(other.init, product.out, product.n)
        for other in products
    )


def _same_or_apart(a: Operand | None, b: Operand | None, n: int) -> bool:
    return a is None or b is None or a == b or not _overlap(a, n, b, n)


def _places(buffers: tuple[Buffer, ...]) -> list[int]:
    """Return for each buffer the columns of its kind that stand before it."""
    before = dict.fromkeys(Kind, 0)
    places = []
    for number, buffer in enumerate(buffers):
        if buffer.width < 1:
            raise ConfigError("a width of at least 1", f"{buffer.width} in buffer {number}")
        places.append(before[buffer.kind])
        before[buffer.kind] += buffer.width
    return places


def _columns(buffers: tuple[Buffer, ...], kind: Kind) -> int:
    return sum(buffer.width for buffer in buffers if buffer.kind == kind)


def _tile_rows(stage: Pointwise) -> int:
    widest = max((instruction.n for instruction in stage.instructions), default=1)
    return max(1, TILE_FLOATS // widest)


def _product_record(product: Product, place: int) -> bytes:
    a, out, init = product.a, product.out, product.init or _NONE
    operands = (a.buffer, a.column, out.buffer, out.column, init.buffer, init.column)
    return pack("=8iq", *operands, product.n, product.k, place)


def _instruction_record(instruction: Instruction) -> bytes:
    padded = (*instruction.args, _NONE, _NONE, _NONE)[:3]
    args = [number for arg in padded for number in (arg.buffer, arg.column)]
    out = instruction.out
    return pack(
        "=10ifi", instruction.op, instruction.n, out.buffer, out.column, *args, instruction.value, 0
    )


def _check_product(program: Program, product: Product, where: str) -> None:
    if not product.weight or product.n < 1 or any(block.k < 1 for block in product.weight):
        raise ConfigError("a weight with rows and columns", "an empty one", f"look at {where}")
    _check(program, product.out, product.n, _ROWS, where)
    _check(program, product.a, product.k, (*_ROWS, Kind.VECTOR), where)
    if _overlap(product.a, product.k, product.out, product.n):
        raise ConfigError("a product beside its argument", "one that overwrites it", where)
    if product.init is not None:
        _check(program, product.init, product.n, (*_ROWS, Kind.VECTOR), where)
        if product.init != product.out and _overlap(
            product.init, product.n, product.out, product.n
        ):
            raise ConfigError("init to be out or beside it", "a part of it", f"look at {where}")


def _check_pointwise(program: Program, stage: Pointwise, where: str) -> None:
    for place, instruction in enumerate(stage.instructions):
        _check_instruction(program, instruction, f"instruction {place} of {where}")


def _check_instruction(program: Program, instruction: Instruction, where: str) -> None:
    op, n, out = instruction.op, instruction.n, instruction.out
    if n < 1 or len(instruction.args) != _ARGUMENTS[op]:
        raise ConfigError(
            f"{_ARGUMENTS[op]} arguments and at least 1 column for {op.name}",
            f"{len(instruction.args)} and {n}",
            f"look at {where}",
        )
    rows = (*_ROWS, Kind.TILE)
    taken, given = _spans(instruction)
    _check(program, out, given, (Kind.TOTAL,) if op == Op.TOTAL else rows, where)
    for arg in instruction.args:
        _check(program, arg, taken, (*rows, Kind.VECTOR), where)
        in_place = arg == out and taken == given
        if not in_place and _overlap(arg, taken, out, given):
            raise ConfigError("out to be an argument or beside it", "a part of one", where)


def _spans(instruction: Instruction) -> tuple[int, int]:
    """Return how many columns it takes of each argument, and how many it writes."""
    op, n = instruction.op, instruction.n
    return 1 if op == Op.SPREAD else n, 1 if op in _TO_ONE_COLUMN else n


def _check(program: Program, operand: Operand, n: int, kinds: tuple[Kind, ...], where: str) -> None:
    """Raise unless n columns of an operand lie in its buffer, and that is of one of the kinds."""
    if not 0 <= operand.buffer < len(program.buffers):
        raise ConfigError(
            f"one of {len(program.buffers)} buffers", str(operand.buffer), f"look at {where}"
        )
    buffer = program.buffers[operand.buffer]
    if buffer.kind not in kinds:
        raise ConfigError(
            " or ".join(kind.name for kind in kinds), buffer.kind.name, f"look at {where}"
        )
    if operand.column < 0 or operand.column + n > buffer.width:
        raise ConfigError(
            f"columns within the {buffer.width} of buffer {operand.buffer}",
            f"{operand.column} to {operand.column + n}",
            f"look at {where}",
        )


def _overlap(a: Operand, a_columns: int, b: Operand, b_columns: int) -> bool:
    (first, columns), (second, _) = sorted([(a.column, a_columns), (b.column, b_columns)])
    return a.buffer == b.buffer and second < first + columns


def _check_tiles(program: Program) -> None:
    """Raise if a tile is named by two stages: it does not live from one to the next."""
    seen: set[int] = set()
    for stage in program.stages:
        if isinstance(stage, Pointwise):
            named = _tiles(program, stage)
            if both := seen & named:
                raise ConfigError(
                    "a TILE within one stage",
                    f"buffer {min(both)} in two",
                    "make it a BETWEEN",
                )
            seen |= named


def _tiles(program: Program, stage: Pointwise) -> set[int]:
    return {
        operand.buffer
        for read, out in _accesses(stage)
        for operand, _ in (*read, out)
        if program.buffers[operand.buffer].kind == Kind.TILE
    }


def _check_between(program: Program) -> None:
    """Raise if a step reads columns of a BETWEEN buffer that it has not written before."""
    written = {
        number: bytearray(buffer.width)
        for number, buffer in enumerate(program.buffers)
        if buffer.kind == Kind.BETWEEN
    }
    for stage in program.stages:
        for read, out in _accesses(stage):
            for operand, n in read:
                columns = written.get(operand.buffer, b"")[operand.column : operand.column + n]
                if 0 in columns:
                    raise ConfigError(
                        "a BETWEEN that is written before it is read",
                        f"columns of buffer {operand.buffer} that are not",
                        "make it of kind ROWS",
                    )
            operand, n = out
            if operand.buffer in written:
                written[operand.buffer][operand.column : operand.column + n] = b"\1" * n


_Columns = tuple[Operand, int]  # and how many


def _accesses(stage: Pointwise | Product) -> Iterator[tuple[list[_Columns], _Columns]]:
    """Yield the columns that are read, and those then written, one after the other."""
    if isinstance(stage, Product):
        read = [(stage.a, stage.k), *([(stage.init, stage.n)] if stage.init else [])]
        yield read, (stage.out, stage.n)
        return
    for instruction in stage.instructions:
        taken, given = _spans(instruction)
        yield [(arg, taken) for arg in instruction.args], (instruction.out, given)
