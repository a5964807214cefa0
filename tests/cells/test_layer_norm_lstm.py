"""The layer-normalised LSTM against its equations, and what normalising promises."""

import torch
from torch import Tensor, nn

from tests.cells.parity import double
from unrolled.cells import LayerNormLSTM, LSTMState


def normalise(a: Tensor) -> Tensor:
    mean = a.mean(-1, keepdim=True)
    return (a - mean) / ((a - mean).square().mean(-1, keepdim=True) + 1e-5).sqrt()


def test_the_equations_written_out() -> None:
    cell = LayerNormLSTM(5, 7).double()
    for parameter in cell.parameters():
        nn.init.normal_(parameter)
    x, h, c = double(3, 11, 5), double(3, 7), double(3, 7)
    y, state = cell(x, LSTMState(h, c))
    for t in range(11):
        a = normalise(h @ cell.weight_hh.T) * cell.gain_hh
        a = a + normalise(x[:, t] @ cell.weight_ih.T) * cell.gain_ih + cell.bias
        i, f, g, o = a.chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(normalise(c) * cell.gain_c + cell.bias_c)
        assert (y[:, t] - h).abs().max() <= 1e-12
    assert (state.c - c).abs().max() <= 1e-12


def test_the_scale_of_the_input_does_not_matter() -> None:
    cell = LayerNormLSTM(5, 7).double()
    x = 10 * double(3, 11, 5)
    assert (cell(x)[0] - cell(100 * x)[0]).abs().max() <= 1e-5  # but for the 1e-5 under the root


def test_it_starts_with_gains_of_one_and_an_open_forget_gate() -> None:
    cell = LayerNormLSTM(5, 7, forget_bias=2.0, recurrent_init="identity")
    assert torch.equal(cell.gain_c, torch.ones(7))
    assert cell.bias.tolist() == [0.0] * 7 + [2.0] * 7 + [0.0] * 14
