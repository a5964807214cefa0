"""Long short-term memory with normalised sums."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.cells._cell import _Cell
from unrolled.cells._initialisation import add_to_block, initialise
from unrolled.cells.lstm import LSTMState


class LayerNormLSTM(_Cell[LSTMState]):
    """Long short-term memory whose sums have mean 0 and variance 1 over the features, at each step.

        i, f, g, o = LN(W_ih x) * gain_ih + LN(W_hh h) * gain_hh + b
        c' = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h' = sigmoid(o) * tanh(LN(c') * gain_c + b_c)   y = h'

        LN(a) = (a - mean(a)) / sqrt(variance(a) + 1e-5)

    Four blocks of rows in the order i, f, g, o; LN is over all four together.

    Shapes: x [B, T, C] float; state LSTMState(h [B, D], c [B, D]); y [B, T, D].
    Args:
        input_size: C.
        hidden_size: D.
        forget_bias: added to the forget gate's b at the start, so that a new cell remembers.
        recurrent_init: how each block of W_hh starts: "uniform"; "orthogonal", a random rotation;
            "identity", I.
    Raises:
        ConfigError: an unknown ``recurrent_init``.
        ShapeError: x has not C features.
    Source: Ba, Kiros & Hinton 2016, arXiv:1607.06450, the layer-normalised LSTM of the
        supplementary material. Differs: its three biases of the sums only ever add up, and are one
        b here; gates in torch's order; 1e-5 under the root.
    Example:
        >>> y, state = LayerNormLSTM(5, 7)(torch.zeros(2, 3, 5))
        >>> y.shape, state.c.shape
        (torch.Size([2, 3, 7]), torch.Size([2, 7]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
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
        self.gain_ih = nn.Parameter(torch.empty(4 * hidden_size))
        self.gain_hh = nn.Parameter(torch.empty(4 * hidden_size))
        self.gain_c = nn.Parameter(torch.empty(hidden_size))
        self.bias = nn.Parameter(torch.empty(4 * hidden_size))
        self.bias_c = nn.Parameter(torch.empty(hidden_size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw both matrices from U(-1/sqrt(D), 1/sqrt(D)); gains are 1, biases 0 but f's."""
        initialise(self, self.weight_hh, self.hidden_size, self.recurrent_init)
        for gain in (self.gain_ih, self.gain_hh, self.gain_c):
            nn.init.ones_(gain)
        for bias in (self.bias, self.bias_c):
            nn.init.zeros_(bias)
        add_to_block(self.bias, 1, self.hidden_size, self.forget_bias)

    def initial_state(self, batch_size: int) -> LSTMState:
        """Return zeros."""
        return LSTMState(
            self.zeros(batch_size, self.hidden_size), self.zeros(batch_size, self.hidden_size)
        )

    def project(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... R"]:
        """Return LN(W_ih x) * gain_ih + b."""
        return _normalise(F.linear(x, self.weight_ih), self.gain_ih, self.bias)

    def advance(
        self, projected: Float[Tensor, "B R"], state: LSTMState
    ) -> tuple[Float[Tensor, "B D"], LSTMState]:
        """Add what h brings, normalised, and let the gates decide."""
        product_h = F.linear(state.h.to(projected.dtype), self.weight_hh)
        a = projected + _normalise(product_h, self.gain_hh)
        i, f, g, o = a.to(state.c.dtype).chunk(4, dim=-1)
        c = torch.sigmoid(f) * state.c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(_normalise(c, self.gain_c, self.bias_c))
        return h, LSTMState(h, c)


def _normalise(a: Tensor, gain: Tensor, bias: Tensor | None = None) -> Tensor:
    shift = None if bias is None else bias.to(a.dtype)
    return F.layer_norm(a, gain.shape, gain.to(a.dtype), shift)
