"""Long short-term memory."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.cells._initialisation import add_to_block, initialise
from unrolled.cells._torch import adopt, kernel_fits, single_layer, sizes
from unrolled.recurrence import Recurrence
from unrolled.shapes import check_shape


class LSTMState(NamedTuple):
    """What an LSTM carries: both at least float32."""

    h: Float[Tensor, "B D"]  # hidden state, the output
    c: Float[Tensor, "B D"]  # memory cell


class LSTM(Recurrence[LSTMState]):
    """Long short-term memory: a cell that gates decide to write, to keep and to show.

        i, f, g, o = W_ih x + b_ih + W_hh h + b_hh      four blocks of rows, in this order
        c' = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h' = sigmoid(o) * tanh(c')                      y = h'

    Shapes: x [B, T, C] float; state LSTMState(h [B, D], c [B, D]); y [B, T, D].
    Args:
        input_size: C.
        hidden_size: D.
        bias: add b_ih and b_hh (two, as in torch, so that weights can be exchanged).
        forget_bias: added to the forget gate's b_ih at the start, so that a new cell remembers.
        recurrent_init: how each block of W_hh starts: "uniform"; "orthogonal", a random rotation;
            "identity", I, every bias but the forget gate's then 0.
    Raises:
        ConfigError: an unknown ``recurrent_init``.
        ShapeError: x has not C features.
    Source: Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000; the bias of 1 for it:
        Jozefowicz et al. 2015. Weights have torch.nn.LSTM's names (without ``_l0``), shapes, gate
        order and initial range. Differs: ``forget_bias`` is 0 there.
    Example:
        >>> y, state = LSTM(5, 7)(torch.zeros(2, 3, 5))
        >>> y.shape, state.c.shape
        (torch.Size([2, 3, 7]), torch.Size([2, 7]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        forget_bias: float = 1.0,
        recurrent_init: str = "uniform",
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.forget_bias = forget_bias
        self.recurrent_init = recurrent_init
        self.weight_ih = nn.Parameter(torch.empty(4 * hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(4 * hidden_size)) if bias else None
        self.bias_hh = nn.Parameter(torch.empty(4 * hidden_size)) if bias else None
        self.reset_parameters()

    @classmethod
    def from_torch(cls, layer: nn.Module) -> "LSTM":
        """Return this cell with a copy of the weights of a torch.nn.LSTM or torch.nn.LSTMCell.

        Raises:
            ConfigError: another class, several layers, two directions, or a projection.
        """
        weights = single_layer(layer, nn.LSTM, nn.LSTMCell)
        return adopt(cls(*sizes(weights), bias="bias_ih" in weights), weights)

    def reset_parameters(self) -> None:
        """Draw every weight from U(-1/sqrt(D), 1/sqrt(D)), then open the forget gate."""
        initialise(self, self.weight_hh, self.hidden_size, self.recurrent_init)
        if self.bias_ih is not None:
            add_to_block(self.bias_ih, 1, self.hidden_size, self.forget_bias)

    def initial_state(self, batch_size: int) -> LSTMState:
        """Return zeros."""
        return LSTMState(
            self.zeros(batch_size, self.hidden_size), self.zeros(batch_size, self.hidden_size)
        )

    def step(
        self, x_t: Float[Tensor, "B C"], state: LSTMState
    ) -> tuple[Float[Tensor, "B D"], LSTMState]:
        """Advance by one step."""
        check_shape("x_t", x_t, "B C", C=self.input_size)
        h, state = self.advance(F.linear(x_t, self.weight_ih, self.bias_ih), state)
        return h.to(x_t.dtype), state

    def advance(
        self, product_x: Float[Tensor, "B R"], state: LSTMState
    ) -> tuple[Float[Tensor, "B D"], LSTMState]:
        """Advance by one step, given what the input brings: W_ih x + b_ih, R = 4 D; y is h'."""
        product_h = F.linear(state.h.to(product_x.dtype), self.weight_hh, self.bias_hh)
        i, f, g, o = (product_x + product_h).to(state.c.dtype).chunk(4, dim=-1)
        c = torch.sigmoid(f) * state.c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, LSTMState(h, c)

    def plain_scan(
        self, x: Float[Tensor, "B T C"], state: LSTMState
    ) -> tuple[Float[Tensor, "B T D"], LSTMState]:
        """Advance over a chunk in torch's own kernel, where that computes in the state's dtype."""
        check_shape("x", x, "B T C", C=self.input_size)
        if not kernel_fits(x, state.c):
            return super().plain_scan(x, state)
        weights: list[Tensor] = [self.weight_ih, self.weight_hh]
        if self.bias_ih is not None and self.bias_hh is not None:
            weights += [self.bias_ih, self.bias_hh]
        y, h, c = torch.lstm(
            x,
            [state.h.unsqueeze(0), state.c.unsqueeze(0)],
            weights,
            has_biases=self.bias_ih is not None,
            num_layers=1,
            dropout=0.0,
            train=torch.is_grad_enabled(),  # no dropout here: it only keeps what backward needs
            bidirectional=False,
            batch_first=True,
        )
        return y, LSTMState(h.squeeze(0), c.squeeze(0))
