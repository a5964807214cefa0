"""The LSTM against torch's, and against what its equations promise."""

import torch
from torch import nn

from unrolled.cells import LSTM, LSTMState


def pair() -> tuple[LSTM, nn.LSTM]:
    ours = LSTM(5, 7).double()
    theirs = nn.LSTM(5, 7, batch_first=True).double()
    theirs.load_state_dict({f"{name}_l0": value for name, value in ours.state_dict().items()})
    return ours, theirs


def test_values_and_gradients_equal_torch() -> None:
    ours, theirs = pair()
    x = torch.randn(3, 11, 5, dtype=torch.float64)
    h, c = torch.randn(2, 3, 7, dtype=torch.float64)
    ours_x, theirs_x = x.clone().requires_grad_(), x.clone().requires_grad_()
    y, state = ours(ours_x, LSTMState(h, c))
    expected, (last_h, last_c) = theirs(theirs_x, (h[None], c[None]))
    for got, wanted in ((y, expected), (state.h, last_h[0]), (state.c, last_c[0])):
        assert (got - wanted).abs().max() <= 1e-12
    for output in (y, expected):
        (output.sin().sum()).backward()
    assert (ours_x.grad - theirs_x.grad).abs().max() <= 1e-12
    for name, parameter in ours.named_parameters():
        assert (parameter.grad - getattr(theirs, f"{name}_l0").grad).abs().max() <= 1e-12


def test_an_open_forget_gate_and_a_shut_input_gate_keep_the_cell_to_the_bit() -> None:
    cell = LSTM(5, 7)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.zero_()
        cell.bias_ih[:7] = -1e4  # input gate: 0
        cell.bias_ih[7:14] = 1e4  # forget gate: 1
    start = LSTMState(torch.randn(3, 7), torch.randn(3, 7))
    _, state = cell(torch.randn(3, 100, 5), start)
    assert torch.equal(state.c, start.c)


def test_the_cells_gradient_is_the_product_of_forget_gates() -> None:
    cell = LSTM(5, 7).double()
    with torch.no_grad():
        cell.weight_hh.zero_()  # the gates then depend on x alone
    c = torch.randn(1, 7, dtype=torch.float64, requires_grad=True)
    x = torch.randn(1, 6, 5, dtype=torch.float64)
    _, state = cell(x, LSTMState(torch.zeros_like(c), c))
    (gradient,) = torch.autograd.grad(state.c.sum(), c)
    gates = x @ cell.weight_ih.T + cell.bias_ih + cell.bias_hh
    forget = torch.sigmoid(gates[..., 7:14]).prod(dim=1)
    assert (gradient - forget).abs().max() <= 1e-12


def test_parameter_count() -> None:
    # 1,667,072 is torch's two-bias count at input 300, hidden 512: 4 D (C + D + 2).
    assert sum(p.numel() for p in LSTM(300, 512).parameters()) == 1_667_072


def test_the_forget_gate_starts_open() -> None:
    assert LSTM(5, 7).bias_ih[7:14].mean() > 0.5
    assert LSTM(5, 7, forget_bias=0.0).bias_ih.abs().max() <= 7**-0.5
