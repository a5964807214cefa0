"""Programs to try the kernels with: an LSTM, a GRU, and random ones."""

import random

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
