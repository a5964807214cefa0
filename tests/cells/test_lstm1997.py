"""The first LSTM: its equations, and that it never forgets."""

import torch

from tests.cells.parity import double
from unrolled.cells import LSTM1997, LSTMState


def test_the_equations_written_out() -> None:
    cell = LSTM1997(5, 7).double()
    x, h, c = double(3, 11, 5), double(3, 7), double(3, 7)
    y, state = cell(x, LSTMState(h, c))
    w_xi, w_xg, w_xo = cell.weight_ih.chunk(3)
    w_hi, w_hg, w_ho = cell.weight_hh.chunk(3)
    b_i, b_g, b_o = cell.bias.chunk(3)
    for t in range(11):
        x_t = x[:, t]
        i = torch.sigmoid(x_t @ w_xi.T + h @ w_hi.T + b_i)
        g = x_t @ w_xg.T + h @ w_hg.T + b_g
        o = torch.sigmoid(x_t @ w_xo.T + h @ w_ho.T + b_o)
        c = c + i * (4 * torch.sigmoid(g) - 2)  # the paper's way to write the squashing functions
        h = o * (2 * torch.sigmoid(c) - 1)
        assert (y[:, t] - h).abs().max() <= 1e-12
    assert (state.c - c).abs().max() <= 1e-12


def test_a_shut_input_gate_keeps_the_cell_to_the_bit() -> None:
    cell = LSTM1997(5, 7)
    with torch.no_grad():
        cell.bias[:7] = -1e4
    start = LSTMState(torch.randn(3, 7), torch.randn(3, 7))
    _, state = cell(torch.randn(3, 100, 5), start)
    assert torch.equal(state.c, start.c)


def test_the_error_carousel_is_constant() -> None:
    cell = LSTM1997(5, 7).double()
    with torch.no_grad():
        cell.weight_hh.zero_()  # the gates then depend on x alone
    c = double(1, 7).requires_grad_()
    _, state = cell(double(1, 50, 5), LSTMState(torch.zeros_like(c), c))
    (gradient,) = torch.autograd.grad(state.c.sum(), c)
    assert torch.equal(gradient, torch.ones_like(c))
