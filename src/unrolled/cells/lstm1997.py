"""Long short-term memory as first published, without a forget gate."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.cells._cell import _Cell
from unrolled.cells._initialisation import initialise
from unrolled.cells.lstm import LSTMState


class LSTM1997(_Cell[LSTMState]):
    """The first long short-term memory: it adds to its cell, and never forgets.

        i, g, o = W_ih x + b + W_hh h                   three blocks of rows, in this order
        c' = c + sigmoid(i) * 2 tanh(g / 2)             the constant error carousel
        h' = sigmoid(o) * tanh(c' / 2)                  y = h'

    Shapes: x [B, T, C] float; state LSTMState(h [B, D], c [B, D]); y [B, T, D].
    Args:
        input_size: C.
        hidden_size: D, memory cells, each with gates of its own.
        recurrent_init: how each block of W_hh starts: "uniform"; "orthogonal", a random rotation;
            "identity", I, every bias then 0.
    Raises:
        ConfigError: an unknown ``recurrent_init``.
        ShapeError: x has not C features.
    Source: Hochreiter & Schmidhuber 1997; 2 tanh(a / 2) and tanh(a / 2) are its centred logistic
        functions, of range (-2, 2) and (-1, 1). Differs: gates and cells see x and h only, not the
        other gates; a block has one cell; there are no other hidden units; gradients are exact,
        where the paper cuts those that leave a cell; weights start uniform.
    Example:
        >>> y, state = LSTM1997(5, 7)(torch.zeros(2, 3, 5))
        >>> y.shape, state.c.shape
        (torch.Size([2, 3, 7]), torch.Size([2, 7]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, *, recurrent_init: str = "uniform"
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.recurrent_init = recurrent_init
        self.weight_ih = nn.Parameter(torch.empty(3 * hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(3 * hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.empty(3 * hidden_size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every weight from U(-1/sqrt(D), 1/sqrt(D)), then W_hh as asked."""
        initialise(self, self.weight_hh, self.hidden_size, self.recurrent_init)

    def initial_state(self, batch_size: int) -> LSTMState:
        """Return zeros."""
        return LSTMState(
            self.zeros(batch_size, self.hidden_size), self.zeros(batch_size, self.hidden_size)
        )

    def project(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... R"]:
        """Return W_ih x + b."""
        return F.linear(x, self.weight_ih, self.bias)

    def advance(
        self, projected: Float[Tensor, "B R"], state: LSTMState
    ) -> tuple[Float[Tensor, "B D"], LSTMState]:
        """Add to the cell, and show what the output gate lets out."""
        product_h = F.linear(state.h.to(projected.dtype), self.weight_hh)
        i, g, o = (projected + product_h).to(state.c.dtype).chunk(3, dim=-1)
        c = state.c + torch.sigmoid(i) * 2 * torch.tanh(g / 2)
        h = torch.sigmoid(o) * torch.tanh(c / 2)
        return h, LSTMState(h, c)
