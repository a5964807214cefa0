"""The RNN against torch's, and against what linear algebra says of it."""

import pytest
import torch
from torch import nn

from tests.cells.parity import assert_parity, assert_steps_like, double
from unrolled.cells import RNN, RNNState
from unrolled.errors import ConfigError


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_values_and_gradients_equal_torch(nonlinearity: str, bias: bool) -> None:
    theirs = nn.RNN(5, 7, nonlinearity=nonlinearity, bias=bias, batch_first=True).double()
    ours = RNN.from_torch(theirs)
    h = double(3, 7)
    assert_parity(ours, theirs, double(3, 11, 5), RNNState(h), h[None])


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_steps_equal_torchs_cell(nonlinearity: str) -> None:
    theirs = nn.RNNCell(5, 7, nonlinearity=nonlinearity).double()
    h = double(3, 7)
    assert_steps_like(RNN.from_torch(theirs), theirs, double(3, 11, 5), RNNState(h), h)


def test_it_starts_as_torch_does() -> None:
    torch.manual_seed(3)
    ours = RNN(5, 7)
    torch.manual_seed(3)
    theirs = nn.RNN(5, 7)
    for name, weight in ours.named_parameters():
        assert torch.equal(weight, getattr(theirs, f"{name}_l0"))


def test_parameter_count() -> None:
    # Input 300, hidden 512, two biases: D (C + D + 2).
    assert sum(p.numel() for p in RNN(300, 512).parameters()) == 416_768


def test_an_irnn_starts_by_keeping_what_is_not_negative() -> None:
    cell = RNN(5, 7, nonlinearity="relu", recurrent_init="identity")
    start = RNNState(torch.rand(3, 7))
    y, state = cell(torch.zeros(3, 100, 5), start)
    assert torch.equal(state.h, start.h)
    assert torch.equal(y[:, 0], start.h)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.5])
def test_near_zero_the_jacobian_of_t_steps_is_the_power_of_w_hh(factor: float) -> None:
    cell = RNN(5, 7, bias=False, recurrent_init="orthogonal").double()
    with torch.no_grad():
        cell.weight_hh *= factor
    x, zero = torch.zeros(1, 10, 5, dtype=torch.float64), torch.zeros(1, 7, dtype=torch.float64)

    def last_h(h: torch.Tensor) -> torch.Tensor:
        return cell(x, RNNState(h))[1].h

    jacobian = torch.autograd.functional.jacobian(last_h, zero)[0, :, 0]
    power = torch.linalg.matrix_power(cell.weight_hh, 10)
    assert (jacobian - power).abs().max() <= 1e-12 * factor**10
    # All singular values are factor^T: nothing vanishes or explodes at 1, all does elsewhere.
    assert torch.allclose(torch.linalg.svdvals(jacobian), torch.full_like(zero[0], factor**10))


def test_the_jacobian_is_the_ordered_product_of_the_steps() -> None:
    cell = RNN(5, 7).double()
    x, h = double(1, 4, 5), double(1, 7)
    product = torch.eye(7, dtype=torch.float64)
    after = h
    for t in range(4):
        _, (after,) = cell(x[:, t : t + 1], RNNState(after))
        product = torch.diag(1 - after[0] ** 2) @ cell.weight_hh @ product
    jacobian = torch.autograd.functional.jacobian(lambda h: cell(x, RNNState(h))[1].h, h)
    assert (jacobian[0, :, 0] - product).abs().max() <= 1e-12


def test_another_nonlinearity_is_refused() -> None:
    with pytest.raises(ConfigError, match="nonlinearity to be 'tanh' or 'relu', got 'sigmoid'"):
        RNN(5, 7, nonlinearity="sigmoid")
