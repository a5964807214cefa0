"""What could reach outside its memory is refused before anything runs."""

import pytest
import torch

from tests.kernels import programs
from tests.kernels.machines import choose, needs_library
from unrolled.errors import ConfigError, DtypeError, ShapeError
from unrolled.kernels import native
from unrolled.kernels.encode import encoded
from unrolled.kernels.program import (
    Block,
    Buffer,
    Instruction,
    Kind,
    Op,
    Operand,
    Pointwise,
    Product,
    Program,
)

BUFFERS = (
    Buffer(Kind.SEQUENCE, 6),
    Buffer(Kind.ROWS, 6),
    Buffer(Kind.TILE, 6),
    Buffer(Kind.VECTOR, 6),
    Buffer(Kind.TOTAL, 6),
    Buffer(Kind.BETWEEN, 6),
)
SEQUENCE, ROWS, TILE, VECTOR, TOTAL, BETWEEN = map(Operand, range(6))
WEIGHT = (Block(0, 0, 0, 6),)


def instruction(op: Op, n: int, out: Operand, *args: Operand) -> Pointwise:
    return Pointwise((Instruction(op, n, out, args),))


WRONG = {
    "a column too many": instruction(Op.COPY, 6, ROWS, Operand(0, 1)),
    "a negative column": instruction(Op.COPY, 2, ROWS, Operand(0, -1)),
    "no such buffer": instruction(Op.COPY, 2, ROWS, Operand(6)),
    "a buffer before the first": instruction(Op.COPY, 2, ROWS, Operand(-1)),
    "out too narrow": instruction(Op.SPREAD, 6, Operand(1, 3), SEQUENCE),
    "no columns": instruction(Op.COPY, 0, ROWS, SEQUENCE),
    "an argument too few": instruction(Op.ADD, 2, ROWS, SEQUENCE),
    "an argument too many": instruction(Op.NEG, 2, ROWS, SEQUENCE, SEQUENCE),
    "out a vector": instruction(Op.COPY, 2, VECTOR, SEQUENCE),
    "out a total": instruction(Op.COPY, 2, TOTAL, SEQUENCE),
    "a total elsewhere": instruction(Op.TOTAL, 2, ROWS, SEQUENCE),
    "a total read": instruction(Op.COPY, 2, ROWS, TOTAL),
    "a part of an argument": instruction(Op.NEG, 3, ROWS, Operand(1, 1)),
    "a sum into its row": instruction(Op.ROW_SUM, 3, Operand(1, 1), ROWS),
    "a product of a tile": Product(TILE, WEIGHT, 6, ROWS),
    "a product into a vector": Product(SEQUENCE, WEIGHT, 6, VECTOR),
    "a product over its argument": Product(ROWS, WEIGHT, 6, ROWS),
    "a product that begins in itself": Product(SEQUENCE, WEIGHT, 4, ROWS, Operand(1, 1)),
    "a product too wide": Product(SEQUENCE, WEIGHT, 7, ROWS),
    "a product too deep": Product(SEQUENCE, (Block(0, 0, 0, 7),), 6, ROWS),
    "a product of nothing": Product(SEQUENCE, (), 6, ROWS),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_stage_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        encoded(Program(BUFFERS, (WRONG[name],)), 16)


def test_a_tile_lives_in_one_stage() -> None:
    stages = (
        instruction(Op.COPY, 6, TILE, ROWS),
        instruction(Op.NEG, 6, ROWS, ROWS),
        instruction(Op.COPY, 6, ROWS, TILE),
    )
    with pytest.raises(ConfigError, match="TILE within one stage"):
        encoded(Program(BUFFERS, stages), 16)


@pytest.mark.parametrize(
    "first",
    [
        instruction(Op.NEG, 6, ROWS, BETWEEN),
        Product(BETWEEN, WEIGHT, 6, SEQUENCE),
        Product(SEQUENCE, WEIGHT, 6, ROWS, BETWEEN),
        instruction(Op.COPY, 5, BETWEEN, SEQUENCE),
    ],
    ids=["argument", "factor", "beginning", "all but one column"],
)
def test_what_passes_between_stages_is_written_first(first: Pointwise | Product) -> None:
    write, read = (
        instruction(Op.COPY, 6, BETWEEN, SEQUENCE),
        instruction(Op.COPY, 6, SEQUENCE, BETWEEN),
    )
    encoded(Program(BUFFERS, (write, first, read)), 16)
    with pytest.raises(ConfigError, match="written before"):
        encoded(Program(BUFFERS, (first, read, write)), 16)


def test_a_buffer_has_a_width() -> None:
    with pytest.raises(ConfigError, match="width"):
        encoded(Program((Buffer(Kind.ROWS, 0),), ()), 16)


@needs_library
@pytest.mark.parametrize(
    "block",
    [
        Block(1, 0, 0, 4),
        Block(0, 1, 0, 4),
        Block(0, 0, 1, 4),
        Block(0, -1, 0, 4),
        Block(0, 0, 0, 4, True),
    ],
)
def test_a_block_lies_in_its_matrix(block: Block) -> None:
    product = Product(Operand(0), (block,), 16, Operand(1))
    program = Program((Buffer(Kind.ROWS, 4), Buffer(Kind.ROWS, 16)), (product,))
    with pytest.raises(ConfigError):
        native.pack(program, [torch.zeros(4, 16)])


@needs_library
def test_matrices_are_float32() -> None:
    with pytest.raises(DtypeError, match="float32"):
        native.pack(programs.lstm(4), [torch.zeros(16, 4, dtype=torch.float64)])


@needs_library
@pytest.mark.parametrize("counts", [[1, 2], [2, -1], [-1]])
def test_counts_never_grow(counts: list[int]) -> None:
    program = programs.lstm(4)
    packed = native.pack(program, [torch.zeros(16, 4)])
    with pytest.raises(ShapeError, match="counts"):
        native.run(program, packed, [None] * 6, counts)


@needs_library
def test_tensors_have_the_size_of_their_buffers() -> None:
    program, counts = programs.lstm(4), [3, 2]
    packed = native.pack(program, [torch.zeros(16, 4)])
    right = programs.lstm_tensors(torch.zeros(5, 16), counts, 4)
    for place in range(5):
        for wrong in (None, right[place][:-1], right[place].t()[:3]):
            tensors = [*right[:place], wrong, *right[place + 1 :]]
            with pytest.raises(ShapeError):
                native.run(program, packed, tensors, counts)
    strided = torch.zeros(5, 32)[:, ::2]
    with pytest.raises(ShapeError, match="contiguous"):
        native.run(program, packed, [strided, *right[1:]], counts)
    with pytest.raises(DtypeError):
        native.run(program, packed, [right[0].double(), *right[1:]], counts)
    with pytest.raises(ShapeError, match="6 tensors"):
        native.run(program, packed, right[:5], counts)


@needs_library
def test_weights_belong_to_one_program() -> None:
    one, other = programs.lstm(4), programs.lstm(4)
    packed = native.pack(one, [torch.zeros(16, 4)])
    with pytest.raises(ConfigError, match="another's"):
        native.run(other, packed, programs.lstm_tensors(torch.zeros(1, 16), [1], 4), [1])
    with pytest.raises(ConfigError, match="split"):
        native.run(one, packed, [], [], split="diagonal")


def test_an_isa_that_does_not_exist_is_named(monkeypatch) -> None:
    choose("none", monkeypatch)
    assert native.available() is None
    with pytest.raises(ConfigError, match="native library"):
        native.pack(programs.lstm(4), [torch.zeros(16, 4)])


@needs_library
def test_the_environment_names_the_isa(monkeypatch) -> None:
    monkeypatch.setenv("UNROLLED_ISA", "mmx")
    with pytest.raises(ConfigError, match="'mmx'"):
        native.available.__wrapped__()
    monkeypatch.setenv("UNROLLED_ISA", "none")
    assert native.available.__wrapped__() is None
