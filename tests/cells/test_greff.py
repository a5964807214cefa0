"""Each variant is the vanilla LSTM with one thing forced."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.cells.parity import double
from unrolled.cells import (
    CIFG,
    FGR,
    NFG,
    NIAF,
    NIG,
    NOAF,
    NOG,
    NP,
    FGRState,
    LSTMState,
    PeepholeLSTM,
)

D = 7
OPEN = 1e4  # a bias at which a sigmoid is 1 to the bit
VARIANTS = [NIG, NFG, NOG, NIAF, NOAF, NP, CIFG, FGR]


def vanilla_of(variant: PeepholeLSTM | FGR) -> PeepholeLSTM:
    """Return a vanilla LSTM with the variant's weights; a gate that it lacks is open."""
    vanilla = PeepholeLSTM(5, D).double()
    with torch.no_grad():
        for parameter in vanilla.parameters():
            parameter.zero_()
        for row, block in enumerate("ifgo"):
            mine = slice(row * D, (row + 1) * D)
            if block not in variant.blocks:
                vanilla.bias[mine] = OPEN
                continue
            at = variant.blocks.index(block)
            theirs = slice(at * D, (at + 1) * D)
            vanilla.weight_ih[mine] = variant.weight_ih[theirs]
            vanilla.weight_hh[mine] = variant.weight_hh[theirs]
            vanilla.bias[mine] = variant.bias[theirs]
        for row, gate in enumerate("ifo"):
            if gate in variant.peepholes:
                at = variant.peepholes.index(gate)
                vanilla.weight_peephole[row] = variant.weight_peephole[at]
    return vanilla


@pytest.mark.parametrize("cls", [NIG, NFG, NOG, NP])
def test_without_a_part_it_is_vanilla_with_that_part_forced(cls: type[PeepholeLSTM]) -> None:
    variant = cls(5, D).double()
    x, start = double(3, 11, 5), LSTMState(double(3, D), double(3, D))
    y, state = variant(x, start)
    expected, last = vanilla_of(variant)(x, start)
    assert (y - expected).abs().max() <= 1e-12
    assert (state.c - last.c).abs().max() <= 1e-12


def test_a_full_gate_recurrence_of_zeros_is_vanilla() -> None:
    variant = FGR(5, D).double()
    x, h, c = double(3, 11, 5), double(3, D), double(3, D)
    start = FGRState(h, c, *double(3, 3, D).sigmoid())
    expected, last = vanilla_of(variant)(x, LSTMState(h, c))
    assert (variant(x, start)[0] - expected).abs().max() > 1e-3
    torch.nn.init.zeros_(variant.weight_gates)
    y, state = variant(x, start)
    assert (y - expected).abs().max() <= 1e-12
    assert (state.c - last.c).abs().max() <= 1e-12


def written_out(
    cell: PeepholeLSTM,
    x: Tensor,
    state: LSTMState,
    *,
    forget: Callable[[Tensor, Tensor], Tensor] = lambda i, f: f,  # noqa: ARG005
    write: Callable[[Tensor], Tensor] = torch.tanh,
    show: Callable[[Tensor], Tensor] = torch.tanh,
) -> Tensor:
    """Run the vanilla equations with one function put in place of another."""
    h, c = state
    p_i, p_f, p_o = cell.weight_peephole
    outputs = []
    for x_t in x.unbind(1):
        i, f, g, o = (x_t @ cell.weight_ih.T + h @ cell.weight_hh.T + cell.bias).chunk(4, -1)
        i, f = torch.sigmoid(i + p_i * c), torch.sigmoid(f + p_f * c)
        c = forget(i, f) * c + i * write(g)
        h = torch.sigmoid(o + p_o * c) * show(c)
        outputs.append(h)
    return torch.stack(outputs, 1)


@pytest.mark.parametrize(
    ("cls", "change"),
    [
        (NIAF, {"write": lambda g: g}),
        (NOAF, {"show": lambda c: c}),
        (CIFG, {"forget": lambda i, f: 1 - i}),  # noqa: ARG005
    ],
)
def test_with_a_function_changed_it_is_the_equations_with_that_change(cls, change) -> None:
    variant = cls(5, D).double()
    x, start = double(3, 11, 5), LSTMState(double(3, D), double(3, D))
    y, _ = variant(x, start)
    vanilla = vanilla_of(variant)
    assert (y - written_out(vanilla, x, start, **change)).abs().max() <= 1e-12
    assert (y - written_out(vanilla, x, start)).abs().max() > 1e-3


def test_a_full_gate_recurrence_written_out() -> None:
    cell = FGR(5, D).double()
    x, state = double(3, 5, 5), FGRState(double(3, D), double(3, D), *double(3, 3, D).sigmoid())
    y, _ = cell(x, state)
    h, c, i, f, o = state
    p_i, p_f, p_o = cell.weight_peephole
    # R[to][of]: nine matrices, in the order i, f, o.
    R = [row.chunk(3, dim=1) for row in cell.weight_gates.chunk(3)]
    for t in range(5):
        a_i, a_f, g, a_o = (x[:, t] @ cell.weight_ih.T + h @ cell.weight_hh.T + cell.bias).chunk(
            4, -1
        )
        a_i, a_f, a_o = (
            a + i @ R[to][0].T + f @ R[to][1].T + o @ R[to][2].T
            for to, a in enumerate((a_i, a_f, a_o))
        )
        i, f = torch.sigmoid(a_i + p_i * c), torch.sigmoid(a_f + p_f * c)
        c = f * c + i * torch.tanh(g)
        o = torch.sigmoid(a_o + p_o * c)
        h = o * torch.tanh(c)
        assert (y[:, t] - h).abs().max() <= 1e-12


@pytest.mark.parametrize("cls", VARIANTS, ids=lambda cls: cls.__name__)
def test_parameter_count(cls: type[PeepholeLSTM | FGR]) -> None:
    # Blocks of C + D + 1 columns, one diagonal a peephole, and nine squares for FGR.
    blocks = {NIG: 3, NFG: 3, NOG: 3, CIFG: 3}.get(cls, 4)
    peepholes = {NIG: 2, NFG: 2, NOG: 2, CIFG: 2, NP: 0}.get(cls, 3)
    squares = 9 if cls is FGR else 0
    count = blocks * D * (5 + D + 1) + peepholes * D + squares * D * D
    assert sum(p.numel() for p in cls(5, D).parameters()) == count


def test_forget_bias_opens_the_forget_gate_wherever_there_is_one() -> None:
    for cls in (NIG, NOG, NIAF, NOAF, NP, FGR):
        at = cls.blocks.index("f") * D
        assert cls(5, D, forget_bias=3.0).bias[at : at + D].min() > 2
    assert CIFG(5, D, forget_bias=3.0).bias[:D].max() < -2  # f = 1 - i
