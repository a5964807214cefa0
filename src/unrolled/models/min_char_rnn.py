"""min-char-rnn, a language model in a hundred lines of numpy, as a recurrence."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.recurrence import Recurrence
from unrolled.shapes import check_shape


class MinCharRNNState(NamedTuple):
    """What a MinCharRNN carries, at least float32."""

    h: Float[Tensor, "B D"]  # hidden state


class MinCharRNN(Recurrence[MinCharRNNState]):
    """Predict the next character by a plain recurrent network.

        h' = tanh(W_xh onehot(x) + W_hh h + b_h)
        y = W_hy h' + b_y                               logits: p(next) = softmax(y)

    Shapes: x [B, T] int64 tokens; state MinCharRNNState(h [B, D]); y [B, T, V] logits.
    Args:
        vocabulary_size: V.
        hidden_size: D.
    Raises:
        ShapeError: x is not [B, T].
        IndexError: a token is not below V (from torch).
    Source: Karpathy 2015, min-char-rnn.py, gist d4dee566867f8291f086; weights start at
        0.01 N(0, 1) and biases at 0, as there. Differs: a product with a one-hot vector is the
        column that it picks, and is computed so.
    Example:
        >>> model = MinCharRNN(65)
        >>> sum(parameter.numel() for parameter in model.parameters())
        23165
    """

    def __init__(self, vocabulary_size: int, hidden_size: int = 100) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.weight_xh = nn.Parameter(0.01 * torch.randn(hidden_size, vocabulary_size))
        self.weight_hh = nn.Parameter(0.01 * torch.randn(hidden_size, hidden_size))
        self.weight_hy = nn.Parameter(0.01 * torch.randn(vocabulary_size, hidden_size))
        self.bias_h = nn.Parameter(torch.zeros(hidden_size))
        self.bias_y = nn.Parameter(torch.zeros(vocabulary_size))

    def initial_state(self, batch_size: int) -> MinCharRNNState:
        """Return zeros."""
        return MinCharRNNState(self.zeros(batch_size, self.hidden_size))

    def scan(
        self, x: Int[Tensor, "B T"], state: MinCharRNNState
    ) -> tuple[Float[Tensor, "B T V"], MinCharRNNState]:
        """Advance over a chunk; only the product with h waits for the step before."""
        check_shape("x", x, "B T")
        h, hidden = state.h, []
        for column in (F.embedding(x, self.weight_xh.T) + self.bias_h).unbind(1):
            product_h = F.linear(h.to(column.dtype), self.weight_hh)
            h = torch.tanh((column + product_h).to(h.dtype))
            hidden.append(h)
        y = F.linear(
            torch.stack(hidden, dim=1).to(self.weight_hy.dtype), self.weight_hy, self.bias_y
        )
        return y, MinCharRNNState(h)
