"""The GRU against torch's, against its equations, and its conventions against each other."""

import pytest
import torch
from torch import Tensor, nn

from tests.cells.parity import assert_parity, assert_steps_like, double
from unrolled.cells import GRU, GRUState
from unrolled.errors import ConfigError


@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_equal_torch(bias: bool) -> None:
    theirs = nn.GRU(5, 7, bias=bias, batch_first=True).double()
    h = double(3, 7)
    assert_parity(GRU.from_torch(theirs), theirs, double(3, 11, 5), GRUState(h), h[None])


def test_steps_equal_torchs_cell() -> None:
    theirs = nn.GRUCell(5, 7).double()
    h = double(3, 7)
    assert_steps_like(GRU.from_torch(theirs), theirs, double(3, 11, 5), GRUState(h), h)


def test_it_starts_as_torch_does() -> None:
    torch.manual_seed(3)
    ours = GRU(5, 7)
    torch.manual_seed(3)
    theirs = nn.GRU(5, 7)
    for name, weight in ours.named_parameters():
        assert torch.equal(weight, getattr(theirs, f"{name}_l0"))


def test_parameter_count() -> None:
    # Input 300, hidden 512, two biases: 3 D (C + D + 2).
    assert sum(p.numel() for p in GRU(300, 512).parameters()) == 1_250_304


def naive(cell: GRU, x_t: Tensor, h: Tensor) -> Tensor:
    """One step as the equations say, gate by gate."""
    w_ir, w_iz, w_in = cell.weight_ih.chunk(3)
    w_hr, w_hz, w_hn = cell.weight_hh.chunk(3)
    b_ir, b_iz, b_in = cell.bias_ih.chunk(3)
    b_hr, b_hz, b_hn = cell.bias_hh.chunk(3)
    r = torch.sigmoid(x_t @ w_ir.T + b_ir + h @ w_hr.T + b_hr)
    z = torch.sigmoid(x_t @ w_iz.T + b_iz + h @ w_hz.T + b_hz)
    if cell.reset == "before":
        n = torch.tanh(x_t @ w_in.T + b_in + (r * h) @ w_hn.T + b_hn)
    else:
        n = torch.tanh(x_t @ w_in.T + b_in + r * (h @ w_hn.T + b_hn))
    return z * h + (1 - z) * n if cell.update == "keep" else (1 - z) * h + z * n


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("update", ["keep", "write"])
def test_every_convention_equals_the_equations_written_out(reset: str, update: str) -> None:
    cell = GRU(5, 7, reset=reset, update=update).double()
    x, h = double(3, 11, 5), double(3, 7)
    y, state = cell(x, GRUState(h))
    for t in range(11):
        h = naive(cell, x[:, t], h)
        assert (y[:, t] - h).abs().max() <= 1e-12
    assert (state.h - h).abs().max() <= 1e-12


@pytest.mark.parametrize("reset", ["after", "before"])
def test_the_sign_of_the_z_rows_turns_keep_into_write(reset: str) -> None:
    keep = GRU(5, 7, reset=reset).double()
    write = GRU(5, 7, reset=reset, update="write").double()
    write.load_state_dict(keep.state_dict())
    x = double(3, 11, 5)
    assert (keep(x)[0] - write(x)[0]).abs().max() > 1e-2
    with torch.no_grad():
        for parameter in write.parameters():
            parameter[7:14] *= -1
    assert (keep(x)[0] - write(x)[0]).abs().max() <= 1e-12


def test_reset_before_and_after_agree_only_where_r_is_one() -> None:
    after, before = GRU(5, 7).double(), GRU(5, 7, reset="before").double()
    before.load_state_dict(after.state_dict())
    x, start = double(3, 11, 5), GRUState(double(3, 7))
    assert (after(x, start)[0] - before(x, start)[0]).abs().max() > 1e-2
    with torch.no_grad():
        for cell in (after, before):
            cell.bias_ih[:7] = 1e4  # r = 1
    assert (after(x, start)[0] - before(x, start)[0]).abs().max() <= 1e-12


@pytest.mark.parametrize(("update", "bias"), [("write", -1e4), ("keep", 1e4)])
def test_a_shut_update_gate_keeps_h_to_the_bit(update: str, bias: float) -> None:
    cell = GRU(5, 7, reset="before", update=update)
    with torch.no_grad():
        cell.bias_ih[7:14] = bias
    start = GRUState(torch.randn(3, 7))
    _, state = cell(torch.randn(3, 100, 5), start)
    assert torch.equal(state.h, start.h)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reset": "during"}, "reset to be 'after' or 'before', got 'during'"),
        ({"update": "drop"}, "update to be 'keep' or 'write', got 'drop'"),
    ],
)
def test_another_convention_is_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        GRU(5, 7, **options)
