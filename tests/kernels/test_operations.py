"""Every operation against torch in float64."""

import math

import pytest
import torch
from torch import Tensor

from tests.kernels.machines import choose, every_isa
from unrolled.kernels import naive, native
from unrolled.kernels.program import Buffer, Instruction, Kind, Op, Operand, Pointwise, Program

# The error of a value of 1; generic code rounds twice where others have one fused operation.
TOLERANCE = {"generic": 4e-7, "avx2": 3.2e-7, "avx512": 3.2e-7}
SMALLEST = 1.1754944e-38  # below the smallest normal float, results are 0

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e4, -1e4, 88.0, -87.0, 89.0, -89.0, -103.0, 1e-30]
SPECIAL += [-1e-30, 3e38, -3e38, math.inf, -math.inf, math.nan]
COLUMNS = 257  # no multiple of any vector


def numbers() -> Tensor:
    """Random ones of every size, and the special."""
    sizes = 10 ** torch.linspace(-30, 30, 20).repeat_interleave(100)
    found = [torch.randn(4000), 10 * torch.randn(4000), 80 * torch.randn(4000)]
    found += [torch.randn(2000) * sizes, 1 + 1e-3 * torch.randn(1000), torch.tensor(SPECIAL)]
    flat = torch.cat(found)
    return torch.nn.functional.pad(flat, (0, -len(flat) % COLUMNS), value=0.25).view(-1, COLUMNS)


def arguments(op: Op) -> int:
    three = (Op.MULADD, Op.LERP, Op.WHERE)
    two = (Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.MAXIMUM, Op.MINIMUM, Op.GT, Op.GE, Op.EQ)
    if op == Op.FILL:
        return 0
    return 3 if op in three else 2 if op in (*two, Op.DSIGMOID, Op.DTANH) else 1


ELEMENTWISE = [
    op
    for op in Op
    if op not in (Op.ROW_SUM, Op.ROW_MAX, Op.SPREAD, Op.TOTAL, Op.NORMALIZE, Op.DNORMALIZE)
]


def apply(op: Op, value: float, args: list[Tensor], run: str) -> Tensor:
    count = len(args)
    buffers = (Buffer(Kind.SEQUENCE, COLUMNS),) * (count + 1)
    operands = tuple(Operand(place) for place in range(count + 1))
    instruction = Instruction(op, COLUMNS, operands[-1], operands[:-1], value)
    program = Program(buffers, (Pointwise((instruction,)),))
    tensors = [*args, torch.full_like(numbers(), 7.0, dtype=args[0].dtype if args else None)]
    if run == "naive":
        naive.run(program, tensors, [], [len(tensors[-1])])
    else:
        native.run(program, native.pack(program, []), tensors, [len(tensors[-1])], 1)
    return tensors[-1]


@every_isa
@pytest.mark.parametrize("op", ELEMENTWISE, ids=lambda op: op.name)
def test_an_operation_is_that_of_torch(op: Op, isa: str, monkeypatch) -> None:
    choose(isa, monkeypatch)
    first = numbers()
    args = [first, first.flip(0), first.roll(1, 1)][: arguments(op)]
    if op == Op.LERP:  # a + c (b - a) overflows where torch, which may start from b, does not
        args = [a.clamp(-1e3, 1e3) for a in args]
    for value in (0.5, 2.0, 3.0, -0.5, -1.0, -2.0, 1.75) if op == Op.POW else (0.75,):
        got = apply(op, value, args, "native").double()
        expected = apply(op, value, [a.double() for a in args], "naive")
        assert_near(got, expected, scale_of(op, args), TOLERANCE[isa])


def scale_of(op: Op, args: list[Tensor]) -> Tensor | float:
    """Return what rounding is measured by: the largest term, where terms may cancel."""
    a, b, c = (*(x.double().abs() for x in args), 0.0, 0.0, 0.0)[:3]
    if op == Op.MULADD:
        return a * b + c
    if op == Op.LERP:
        return a + c * (a + b)
    if op == Op.DSIGMOID:
        return a * b * (1 + b)
    if op == Op.DTANH:
        return a * (1 + b * b)
    return 0.0


def assert_near(got: Tensor, expected: Tensor, scale: Tensor | float, tolerance: float) -> None:
    rounded = expected.float().double()
    size = torch.maximum(expected.abs(), torch.as_tensor(scale, dtype=torch.float64))
    wrong = (got - expected).abs() > tolerance * size + SMALLEST
    assert not (wrong & rounded.isfinite()).any()
    infinite = rounded.isinf() & (torch.as_tensor(scale) < 1e38)  # no sum that passes the largest
    assert torch.equal(got[infinite], rounded[infinite])
    assert torch.equal(got.isnan(), expected.isnan())


@every_isa
def test_what_is_bounded_stays_within_its_bounds(isa: str, monkeypatch) -> None:
    choose(isa, monkeypatch)
    x = torch.linspace(-100, 100, len(numbers()) * COLUMNS).view(-1, COLUMNS)
    for op, low in ((Op.TANH, -1), (Op.SIGMOID, 0), (Op.ERF, -1)):
        y = apply(op, 0.0, [x], "native")
        assert y.min() >= low
        assert y.max() <= 1


@every_isa
@pytest.mark.parametrize("n", [1, 3, 16, 50, 257])
def test_sums_and_maxima_of_rows(n: int, isa: str, monkeypatch) -> None:
    choose(isa, monkeypatch)
    a, out = Operand(0), Operand(1)
    program = Program(
        (Buffer(Kind.SEQUENCE, n), Buffer(Kind.SEQUENCE, 2 + n), Buffer(Kind.TOTAL, n)),
        (
            Pointwise(
                (
                    Instruction(Op.ROW_SUM, n, out, (a,)),
                    Instruction(Op.ROW_MAX, n, Operand(1, 1), (a,)),
                    Instruction(Op.SPREAD, n, Operand(1, 2), (Operand(1, 1),)),
                    Instruction(Op.TOTAL, n, Operand(2), (a,)),
                )
            ),
        ),
    )
    x = torch.randn(11, n)
    y, total = torch.empty(11, 2 + n), torch.ones(n)
    native.run(program, native.pack(program, []), [x, y, total], [5, 4, 2], 1)
    torch.testing.assert_close(y[:, 0].double(), x.double().sum(1), rtol=1e-6, atol=1e-6)
    assert torch.equal(y[:, 1], x.amax(1))
    assert torch.equal(y[:, 2:], x.amax(1, keepdim=True).expand(11, n))
    torch.testing.assert_close(total.double(), 1 + x.double().sum(0), rtol=1e-6, atol=1e-6)
    x[3, n // 2] = math.nan
    native.run(program, native.pack(program, []), [x, y, total], [5, 4, 2], 1)
    assert y[:, 0].isnan().nonzero().tolist() == y[:, 1].isnan().nonzero().tolist() == [[3]]


@every_isa
@pytest.mark.parametrize("n", [1, 3, 16, 50, 257])
def test_rows_are_normalized_and_gradients_pass(n: int, isa: str, monkeypatch) -> None:
    """Against torch's layer_norm and its gradient, in float64; in place too."""
    choose(isa, monkeypatch)
    eps, wide = 1e-5, Buffer(Kind.SEQUENCE, n)
    g, x, y, dx = map(Operand, range(4))
    stage = Pointwise(
        (
            Instruction(Op.NORMALIZE, n, y, (x,), eps),
            Instruction(Op.DNORMALIZE, n, dx, (g, x), eps),
            Instruction(Op.DNORMALIZE, n, g, (g, x), eps),
            Instruction(Op.NORMALIZE, n, x, (x,), eps),
        )
    )
    program = Program((wide,) * 4, (stage,))
    tensors = [
        torch.randn(11, n),
        3 + 2 * torch.randn(11, n),
        torch.empty(11, n),
        torch.empty(11, n),
    ]
    source = tensors[1].double().requires_grad_()
    expected = torch.nn.functional.layer_norm(source, (n,), eps=eps)
    (gradient,) = torch.autograd.grad(expected, source, tensors[0].double())
    native.run(program, native.pack(program, []), tensors, [5, 4, 2], 1)
    tolerance = {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(tensors[2].double(), expected.detach(), **tolerance)
    torch.testing.assert_close(tensors[3].double(), gradient, **tolerance)
    assert torch.equal(tensors[0], tensors[3])
    assert torch.equal(tensors[1], tensors[2])
