"""The peephole LSTM against its equations, the plain LSTM, and what gates promise."""

import torch

from tests.cells.parity import double
from unrolled.cells import LSTM, LSTMState, PeepholeLSTM


def test_the_equations_written_out() -> None:
    cell = PeepholeLSTM(5, 7).double()
    x, h, c = double(3, 11, 5), double(3, 7), double(3, 7)
    y, state = cell(x, LSTMState(h, c))
    w_xi, w_xf, w_xg, w_xo = cell.weight_ih.chunk(4)
    w_hi, w_hf, w_hg, w_ho = cell.weight_hh.chunk(4)
    b_i, b_f, b_g, b_o = cell.bias.chunk(4)
    p_i, p_f, p_o = cell.weight_peephole
    for t in range(11):
        x_t = x[:, t]
        i = torch.sigmoid(x_t @ w_xi.T + h @ w_hi.T + p_i * c + b_i)
        f = torch.sigmoid(x_t @ w_xf.T + h @ w_hf.T + p_f * c + b_f)
        c = f * c + i * torch.tanh(x_t @ w_xg.T + h @ w_hg.T + b_g)
        o = torch.sigmoid(x_t @ w_xo.T + h @ w_ho.T + p_o * c + b_o)
        h = o * torch.tanh(c)
        assert (y[:, t] - h).abs().max() <= 1e-12
    assert (state.c - c).abs().max() <= 1e-12


def test_without_peepholes_it_is_the_lstm() -> None:
    cell, plain = PeepholeLSTM(5, 7).double(), LSTM(5, 7).double()
    torch.nn.init.zeros_(cell.weight_peephole)
    weights = {"weight_ih": cell.weight_ih, "weight_hh": cell.weight_hh, "bias_ih": cell.bias}
    plain.load_state_dict({**weights, "bias_hh": torch.zeros_like(cell.bias)})
    x = double(3, 11, 5)
    assert (cell(x)[0] - plain(x)[0]).abs().max() <= 1e-12


def test_an_open_forget_gate_and_a_shut_input_gate_keep_the_cell_to_the_bit() -> None:
    cell = PeepholeLSTM(5, 7)
    with torch.no_grad():
        cell.bias[:7] = -1e4  # input gate: 0
        cell.bias[7:14] = 1e4  # forget gate: 1
    start = LSTMState(torch.randn(3, 7), torch.randn(3, 7))
    _, state = cell(torch.randn(3, 100, 5), start)
    assert torch.equal(state.c, start.c)


def test_the_cells_gradient_is_the_product_of_forget_gates() -> None:
    cell = PeepholeLSTM(5, 7).double()
    with torch.no_grad():
        cell.weight_hh.zero_()  # the gates then depend on x alone, but for the output gate's
        cell.weight_peephole[:2] = 0
    c = double(1, 7).requires_grad_()
    x = double(1, 6, 5)
    _, state = cell(x, LSTMState(torch.zeros_like(c), c))
    (gradient,) = torch.autograd.grad(state.c.sum(), c)
    forget = torch.sigmoid((x @ cell.weight_ih.T + cell.bias)[..., 7:14]).prod(dim=1)
    assert (gradient - forget).abs().max() <= 1e-12


def test_parameter_count() -> None:
    # 4 D (C + D + 1) and three diagonals.
    count = sum(p.numel() for p in PeepholeLSTM(300, 512).parameters())
    assert count == 4 * 512 * (300 + 512 + 1) + 3 * 512


def test_the_forget_gate_starts_open() -> None:
    assert PeepholeLSTM(5, 7).bias[7:14].mean() > 0.5
    assert PeepholeLSTM(5, 7, forget_bias=0.0).bias.abs().max() <= 7**-0.5
