"""Jacobians by lag: against powers of a matrix, products of gates, and Pascanu's bound."""

import pytest
import torch
from torch import nn

from unrolled.cells import LSTM, LSTMState
from unrolled.diagnostics import (
    gradient_bound,
    gradient_gains,
    jacobian_norms,
    loss_gradient_norms,
    recurrent_matrices,
)
from unrolled.errors import ConfigError
from unrolled.layers import CausalConv1d, Linear
from unrolled.recurrence import Recurrence


class Plain(Recurrence):
    """h' = phi(W_hh h + x)."""

    def __init__(self, weight_hh, phi=lambda a: a) -> None:
        super().__init__()
        self.weight_hh = nn.Parameter(weight_hh)
        self.phi = phi

    def initial_state(self, batch_size):
        return self.zeros(batch_size, len(self.weight_hh))

    def step(self, x_t, h):
        h = self.phi(h @ self.weight_hh.T + x_t)
        return h, h


def orthogonal(size: int) -> torch.Tensor:
    return torch.linalg.qr(torch.randn(size, size, dtype=torch.float64)).Q


@pytest.mark.parametrize(("rho", "published"), [(0.9, "2.95e-05"), (1.1, "1.25e+04")])
def test_a_scaled_orthogonal_matrix_gives_its_power(rho: float, published: str) -> None:
    norms = jacobian_norms(Plain(rho * orthogonal(7)), torch.randn(2, 99, 7, dtype=torch.float64))
    expected = rho ** torch.arange(100, dtype=torch.float64)
    assert (norms / expected - 1).abs().max() <= 1e-10
    assert f"{norms[99].item():.2e}" == published


def test_the_frobenius_norm_of_a_rotation_is_root_n() -> None:
    x = torch.randn(1, 5, 7, dtype=torch.float64)
    norms = jacobian_norms(Plain(orthogonal(7)), x, norm="frobenius")
    assert (norms - 7**0.5).abs().max() <= 1e-12


def test_it_is_the_product_of_the_steps_jacobians_of_an_lstm() -> None:
    cell = LSTM(3, 5).double()
    x = torch.randn(1, 4, 3, dtype=torch.float64)
    start = torch.randn(10, dtype=torch.float64)

    def last(s: torch.Tensor) -> torch.Tensor:
        _, state = cell(x, LSTMState(s[None, :5], s[None, 5:]))
        return torch.cat([state.h[0], state.c[0]])

    expected = torch.autograd.functional.jacobian(last, start)
    got = jacobian_norms(cell, x, LSTMState(start[None, :5], start[None, 5:]))
    assert abs(got[4] - torch.linalg.matrix_norm(expected, ord=2)) <= 1e-12


def test_the_bound_holds_for_random_tanh_networks() -> None:
    for scale in (0.1, 0.3, 1.0):
        module = Plain(scale * torch.randn(7, 7, dtype=torch.float64), torch.tanh)
        (matrix,) = recurrent_matrices(module)
        norms = jacobian_norms(module, torch.randn(1, 30, 7, dtype=torch.float64))
        assert (norms <= gradient_bound(matrix.spectral_norm, 30) * (1 + 1e-12)).all()


def test_a_norm_above_one_is_not_enough_to_explode() -> None:
    matrix = torch.tensor([[0.0, 10.0], [0.0, 0.0]], dtype=torch.float64)
    (found,) = recurrent_matrices(Plain(matrix))
    assert found.spectral_norm == pytest.approx(10)
    assert found.spectral_radius == 0
    norms = jacobian_norms(Plain(matrix), torch.zeros(1, 3, 2, dtype=torch.float64))
    assert norms.tolist() == pytest.approx([1, 10, 0, 0])


def test_the_loss_gradient_is_a_power_of_the_transpose() -> None:
    weight = torch.randn(3, 3, dtype=torch.float64)
    x = torch.zeros(2, 6, 3, dtype=torch.float64)
    norms = loss_gradient_norms(Plain(weight), x, lambda y: y[:, -1].sum())
    for lag in range(7):
        row = torch.linalg.matrix_power(weight.T, lag).sum(dim=1)
        assert norms[lag].item() == pytest.approx(2**0.5 * row.norm().item(), rel=1e-12)


def test_matrices_are_taken_gate_by_gate() -> None:
    cell = LSTM(3, 5)
    for matrix, block in zip(recurrent_matrices(cell), cell.weight_hh.chunk(4), strict=True):
        assert matrix.spectral_norm == pytest.approx(torch.linalg.svdvals(block)[0].item())
        assert matrix.spectral_radius <= matrix.spectral_norm


def test_the_bound_knows_each_slope() -> None:
    assert gradient_bound(4.0, 2, nonlinearity="sigmoid").tolist() == [1, 1, 1]
    assert gradient_bound(2.0, 2).tolist() == [1, 2, 4]
    with pytest.raises(ConfigError, match="a nonlinearity among tanh"):
        gradient_bound(1.0, 2, nonlinearity="swish")


def test_a_stride_counts_blocks_and_what_has_no_state_is_refused() -> None:
    conv = CausalConv1d(3, 5, kernel_size=3, dilation=2, stride=2)
    norms = jacobian_norms(conv, torch.randn(1, 8, 3))
    # A frame moves four places in two blocks and is then gone.
    assert norms.tolist() == pytest.approx([1, 1, 0, 0, 0])
    with pytest.raises(ConfigError, match="a state with float leaves, got none"):
        jacobian_norms(Linear(3, 5), torch.randn(1, 4, 3))
    with pytest.raises(ConfigError, match="a recurrent matrix weight_hh, got Linear"):
        recurrent_matrices(Linear(3, 5))
    with pytest.raises(ConfigError, match="a state with float leaves, got none"):
        gradient_gains(Linear(3, 5), torch.randn(1, 4, 3))


def test_a_gain_is_a_power_of_rho_for_every_direction() -> None:
    x = torch.zeros(1, 99, 7, dtype=torch.float64)
    gains = gradient_gains(Plain(0.9 * orthogonal(7)), x, num_directions=3)
    expected = 0.9 ** torch.arange(100, dtype=torch.float64)
    assert (gains / expected - 1).abs().max() <= 1e-10


def test_gains_estimate_the_frobenius_norm() -> None:
    cell, x = LSTM(3, 5).double(), torch.randn(1, 7, 3, dtype=torch.float64)
    norms = jacobian_norms(cell, x, norm="frobenius")
    gains = gradient_gains(cell, x, num_directions=20_000)
    error = gains / (norms / norms[0]) - 1
    assert error.abs().max() <= 0.03, "a few times 1 / sqrt(20,000)"
