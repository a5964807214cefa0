"""What the gates of an LSTM do: every gate, cell and output at every step."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from unrolled.cells import LSTM, LSTMState
from unrolled.shapes import check_shape


class LSTMGates(NamedTuple):
    """An LSTM's inner values, each ``[B, T, D]``.

    Args:
        input_gate: sigmoid(i), 0 shut to 1 open: what is written into the cell.
        forget_gate: sigmoid(f): what is kept in it.
        output_gate: sigmoid(o): what is shown of it.
        candidate: tanh(g), what would be written.
        cell: c after the step.
        hidden: h after the step, the output.
    """

    input_gate: Tensor
    forget_gate: Tensor
    output_gate: Tensor
    candidate: Tensor
    cell: Tensor
    hidden: Tensor


@torch.no_grad()
def lstm_gates(cell: LSTM, x: Tensor, state: LSTMState | None = None) -> LSTMGates:
    """Compute an LSTM's gates over a sequence from its weights.

        i, f, g, o = W_ih x + b_ih + W_hh h + b_hh
        c' = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h' = sigmoid(o) * tanh(c')

    Shapes: x [B, T, C]; state LSTMState(h [B, D], c [B, D]).
    Args:
        cell: any LSTM; it gives its output, and this what is inside it.
        x: its input.
        state: where to begin; None for the initial state.
    Raises:
        ShapeError: x has not C features.
    Source: Karpathy, Johnson & Fei-Fei 2016, arXiv:1506.02078, §4.2: gates over a text.
    Example:
        >>> cell, x = LSTM(3, 5), torch.randn(2, 7, 3)
        >>> gates, (y, _) = lstm_gates(cell, x), cell(x)
        >>> gates.forget_gate.shape, torch.allclose(gates.hidden, y, atol=1e-6)
        (torch.Size([2, 7, 5]), True)
    """
    check_shape("x", x, "B T C", C=cell.input_size)
    h, c = cell.initial_state(len(x)) if state is None else state
    steps = []
    for x_t in x.unbind(1):
        product_h = F.linear(h, cell.weight_hh, cell.bias_hh)
        i, f, g, o = (F.linear(x_t, cell.weight_ih, cell.bias_ih) + product_h).chunk(4, dim=-1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        steps.append((torch.sigmoid(i), torch.sigmoid(f), torch.sigmoid(o), torch.tanh(g), c, h))
    return LSTMGates(*(torch.stack(values, dim=1) for values in zip(*steps, strict=True)))
