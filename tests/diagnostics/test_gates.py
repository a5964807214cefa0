"""An LSTM's gates, recomputed from its weights, give the cell's own output and state."""

import pytest
import torch

from unrolled.cells import LSTM, LSTMState
from unrolled.diagnostics import lstm_gates
from unrolled.errors import ShapeError


@pytest.mark.parametrize("bias", [True, False])
def test_they_make_the_cells_output_and_state(bias: bool) -> None:
    cell = LSTM(3, 5, bias=bias).double()
    x = torch.randn(2, 7, 3, dtype=torch.float64)
    state = LSTMState(*(torch.randn(2, 5, dtype=torch.float64) for _ in range(2)))
    gates = lstm_gates(cell, x, state)
    y, after = cell(x, state)
    assert (gates.hidden - y).abs().max() <= 1e-12
    assert (gates.cell[:, -1] - after.c).abs().max() <= 1e-12
    before = torch.cat([state.c[:, None], gates.cell[:, :-1]], dim=1)
    cells = gates.forget_gate * before + gates.input_gate * gates.candidate
    assert (cells - gates.cell).abs().max() <= 1e-12
    assert (gates.output_gate * gates.cell.tanh() - gates.hidden).abs().max() <= 1e-12


def test_a_bias_opens_one_gate_and_no_other() -> None:
    cell, x = LSTM(3, 5, forget_bias=50.0), torch.randn(1, 4, 3)
    gates = lstm_gates(cell, x)
    assert gates.forget_gate.min() == 1
    assert gates.input_gate.max() < 0.9
    assert gates.output_gate.max() < 0.9


def test_features_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match="C=3"):
        lstm_gates(LSTM(3, 5), torch.zeros(1, 4, 2))
