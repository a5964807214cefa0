"""Programs to try the kernels with: an LSTM, a GRU, and random ones."""

import random
from itertools import pairwise

import torch
from torch import Tensor

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


def lstm(hidden: int) -> Program:
    """h and c from the input's share of the gates; W_hh is matrix 0, [4 H, H], gates i f g o."""
    gates, h, h_before, c, c_before, tile = range(6)
    buffers = (
        Buffer(Kind.SEQUENCE, 4 * hidden),
        Buffer(Kind.SEQUENCE, hidden),
        Buffer(Kind.PREVIOUS, hidden),
        Buffer(Kind.SEQUENCE, hidden),
        Buffer(Kind.PREVIOUS, hidden),
        Buffer(Kind.TILE, hidden),
    )
    i, f, g, o = (Operand(gates, n * hidden) for n in range(4))
    product = Product(
        Operand(h_before),
        (Block(0, 0, 0, hidden, True),),
        4 * hidden,
        Operand(gates),
        Operand(gates),
    )
    steps = Pointwise(
        (
            Instruction(Op.SIGMOID, 2 * hidden, i, (i,)),
            Instruction(Op.TANH, hidden, g, (g,)),
            Instruction(Op.SIGMOID, hidden, o, (o,)),
            Instruction(Op.MUL, hidden, Operand(tile), (f, Operand(c_before))),
            Instruction(Op.MULADD, hidden, Operand(c), (i, g, Operand(tile))),
            Instruction(Op.TANH, hidden, Operand(tile), (Operand(c),)),
            Instruction(Op.MUL, hidden, Operand(h), (o, Operand(tile))),
        )
    )
    return Program(buffers, (product, steps))


def lstm_tensors(gates: Tensor, counts: list[int], hidden: int) -> list[Tensor | None]:
    """Tensors of ``lstm`` over copied gates, from a state of zeros."""
    batch = counts[0] if counts else 0
    h, c = (gates.new_zeros(batch + sum(counts), hidden) for _ in range(2))
    return [gates.clone(), h[batch:], h, c[batch:], c, None]


def gru(hidden: int) -> Program:
    """torch's GRU; matrix 0 is W_hh, [3 H, H], gates r z n; buffer 5 holds its biases."""
    x, h, h_before, gates, tile, bias = range(6)
    buffers = (
        Buffer(Kind.SEQUENCE, 3 * hidden),
        Buffer(Kind.SEQUENCE, hidden),
        Buffer(Kind.PREVIOUS, hidden),
        Buffer(Kind.ROWS, 3 * hidden),
        Buffer(Kind.TILE, hidden),
        Buffer(Kind.VECTOR, 3 * hidden),
    )
    r, z, n = (Operand(gates, g * hidden) for g in range(3))
    product = Product(
        Operand(h_before), (Block(0, 0, 0, hidden, True),), 3 * hidden, r, Operand(bias)
    )
    steps = Pointwise(
        (
            Instruction(Op.ADD, 2 * hidden, r, (r, Operand(x))),
            Instruction(Op.SIGMOID, 2 * hidden, r, (r,)),
            Instruction(Op.MULADD, hidden, Operand(tile), (r, n, Operand(x, 2 * hidden))),
            Instruction(Op.TANH, hidden, Operand(tile), (Operand(tile),)),
            Instruction(Op.LERP, hidden, Operand(h), (Operand(tile), Operand(h_before), z)),
        )
    )
    return Program(buffers, (product, steps))


def gru_tensors(x: Tensor, bias: Tensor, counts: list[int], hidden: int) -> list[Tensor | None]:
    """Tensors of ``gru`` from a state of zeros."""
    batch = counts[0] if counts else 0
    h = x.new_zeros(batch + sum(counts), hidden)
    return [x.clone(), h[batch:], h, x.new_zeros(batch, 3 * hidden), None, bias]


# Smooth or exact, and bounded: what differs by rounding stays near.
ONE = [Op.COPY, Op.NEG, Op.SCALE, Op.OFFSET, Op.SIGMOID, Op.TANH, Op.RELU, Op.SIN, Op.ERF]
TWO = [Op.ADD, Op.SUB, Op.MAXIMUM, Op.MINIMUM, Op.DSIGMOID, Op.DTANH]
THREE = [Op.LERP, Op.MULADD]
X, H, H_BEFORE, STATE, BETWEEN, TILE, VECTOR, TOTAL = range(8)


def random_program(draw: random.Random, width: int, between: int) -> Program:
    """Products, then instructions on a tile, then a state that tanh bounds."""
    first = random_product(draw, draw.choice([H_BEFORE, STATE, X]), width, BETWEEN, between)
    goes_on = first.init == Operand(BETWEEN)  # from what it gave in the step before
    buffers = (
        Buffer(Kind.SEQUENCE, width),
        Buffer(Kind.SEQUENCE, width),
        Buffer(Kind.PREVIOUS, width),
        Buffer(Kind.ROWS, width),
        Buffer(Kind.ROWS if goes_on else Kind.BETWEEN, between),
        Buffer(Kind.TILE, width),
        Buffer(Kind.VECTOR, width),
        Buffer(Kind.TOTAL, width),
    )
    second = random_product(draw, BETWEEN, between, STATE, width)
    steps = [Instruction(Op.FILL, width, Operand(TILE), (), 0.5)]
    steps += [random_instruction(draw, width) for _ in range(draw.randint(1, 8))]
    steps += [
        Instruction(Op.TOTAL, width, Operand(TOTAL), (Operand(TILE),)),
        Instruction(Op.MULADD, width, Operand(TILE), (Operand(TILE), Operand(X), Operand(VECTOR))),
        Instruction(Op.TANH, width, Operand(H), (Operand(TILE),)),
        Instruction(Op.TANH, width, Operand(STATE), (Operand(STATE),)),
    ]
    if width > 1:  # the mean of a row, to every column but the last
        steps += [
            Instruction(Op.ROW_SUM, width, Operand(TILE, width - 1), (Operand(X),)),
            Instruction(Op.SPREAD, width - 1, Operand(H), (Operand(TILE, width - 1),)),
            Instruction(Op.SCALE, width, Operand(H), (Operand(H),), 1 / width),
        ]
    return Program(buffers, (first, second, Pointwise(tuple(steps))), draw.random() < 0.5)


def random_product(draw: random.Random, a: int, k: int, out: int, n: int) -> Product:
    """A product whose weight is cut into blocks; matrix 0 is [k, n] and matrix 1 [n, k]."""
    cuts = sorted({0, k, *(draw.randint(0, k) for _ in range(2))})
    blocks = []
    for start, end in pairwise(cuts):
        transposed = draw.random() < 0.5
        place = (0, start) if transposed else (start, 0)
        # Matrices 2 and 3 belong to the second product.
        blocks.append(Block(2 * (a == BETWEEN) + transposed, *place, end - start, transposed))
    init = draw.choice([None, Operand(out), Operand(VECTOR) if n <= k else None])
    return Product(Operand(a), tuple(blocks), n, Operand(out), init)


def random_instruction(draw: random.Random, width: int) -> Instruction:
    n = draw.randint(1, width)
    out = Operand(TILE, draw.randint(0, width - n))
    op = draw.choice([*ONE, *TWO, *THREE])
    arguments = 1 if op in ONE else 2 if op in TWO else 3
    args = []
    for _ in range(arguments):
        buffer = draw.choice([TILE, X, H_BEFORE, STATE, VECTOR])
        args.append(out if buffer == TILE else Operand(buffer, draw.randint(0, width - n)))
    return Instruction(op, n, out, tuple(args), draw.uniform(-0.9, 0.9))


def random_tensors(program: Program, counts: list[int]) -> list[Tensor | None]:
    """Tensors of a random program; PREVIOUS is the same memory as the SEQUENCE of outputs."""
    batch, total = (counts[0] if counts else 0), sum(counts)
    width, between = program.buffers[X].width, program.buffers[BETWEEN]
    h = guarded(batch + total, width)
    return [
        guarded(total, width),
        h[batch:],
        h,
        guarded(batch, width),
        guarded(batch, between.width) if between.kind is Kind.ROWS else None,
        None,
        guarded(1, width)[0],
        guarded(1, width)[0],
    ]


def copies(tensors: list[Tensor | None], dtype: torch.dtype = torch.float32) -> list[Tensor | None]:
    """Copies in memory of their own, guards included, of tensors that share it in the same way."""
    rooms: dict[int, Tensor] = {}
    made: list[Tensor | None] = []
    for tensor in tensors:
        if tensor is None:
            made.append(None)
            continue
        room = torch.empty(0).set_(tensor.untyped_storage())
        copy = rooms.setdefault(tensor.untyped_storage().data_ptr(), room.to(dtype, copy=True))
        made.append(copy.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset()))
    return made


GUARD = 40
SENTINEL = 12345.0


def guarded(rows: int, width: int) -> Tensor:
    """A random matrix within a larger memory, whose rest must not change."""
    room = torch.full((2 * GUARD + rows * width,), SENTINEL)
    inner = room[GUARD : GUARD + rows * width].view(rows, width)
    inner.normal_()
    return inner


def guards_hold(tensor: Tensor) -> bool:
    """Whether nothing was written before or behind a guarded matrix."""
    room = tensor.untyped_storage()
    whole = torch.empty(0).set_(room)
    return bool((whole[:GUARD] == SENTINEL).all() and (whole[-GUARD:] == SENTINEL).all())


def random_products(draw: random.Random, width: int) -> Program:
    """Products one after the other that read and write each other's columns."""
    buffers = (Buffer(Kind.ROWS, width), Buffer(Kind.ROWS, width), Buffer(Kind.SEQUENCE, width))
    n = draw.choice([width // 2, width // 3])
    products: list[Product] = []
    while len(products) < 12:
        columns = n if draw.random() < 0.9 else n - 1
        a, out, init = (
            Operand(draw.randrange(3), draw.randrange(0, width - n, n // 3)) for _ in range(3)
        )
        block = Block(0, draw.randrange(n), draw.randrange(n), draw.choice([8, n]))
        start = draw.choice([None, out, init])
        product = Product(a, (block,), columns, out, start)
        if not _overwrites(product):
            products.append(product)
    return Program(buffers, tuple(products))


def _overwrites(product: Product) -> bool:
    """Whether it reads, besides what it begins from column for column, what it writes."""
    read = [(product.a, product.k)]
    if product.init not in (None, product.out):
        read.append((product.init, product.n))
    written = range(product.out.column, product.out.column + product.n)
    return any(
        operand.buffer == product.out.buffer
        and set(written).intersection(range(operand.column, operand.column + columns))
        for operand, columns in read
    )
