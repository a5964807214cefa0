"""The plain recurrent network."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.cells._cell import _Cell
from unrolled.cells._initialisation import initialise
from unrolled.cells._options import check_choice
from unrolled.cells._torch import adopt, kernel_fits, run_kernel, single_layer, sizes
from unrolled.shapes import check_shape


class RNNState(NamedTuple):
    """What an RNN carries, at least float32."""

    h: Float[Tensor, "B D"]  # hidden state, the output


class RNN(_Cell[RNNState]):
    """The plain recurrent network: the hidden state is squashed and fed back.

        h' = tanh(W_ih x + b_ih + W_hh h + b_hh)        y = h'; or relu in place of tanh

    Shapes: x [B, T, C] float; state RNNState(h [B, D]); y [B, T, D].
    Args:
        input_size: C.
        hidden_size: D.
        nonlinearity: "tanh" or "relu".
        bias: add b_ih and b_hh (two, as in torch, so that weights can be exchanged).
        recurrent_init: how W_hh starts: "uniform"; "orthogonal", a random rotation; "identity", I,
            every bias then 0, which with "relu" is the IRNN.
    Raises:
        ConfigError: an unknown ``nonlinearity`` or ``recurrent_init``.
        ShapeError: x has not C features.
    Source: Elman 1990; IRNN: Le, Jaitly & Hinton 2015, arXiv:1504.00941. Weights have
        torch.nn.RNN's names (without ``_l0``), shapes and initial range. Differs: the IRNN's W_ih
        starts uniform.
    Example:
        >>> irnn = RNN(5, 7, nonlinearity="relu", recurrent_init="identity")
        >>> y, state = irnn(torch.zeros(2, 3, 5))
        >>> y.shape
        torch.Size([2, 3, 7])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        nonlinearity: str = "tanh",
        bias: bool = True,
        recurrent_init: str = "uniform",
    ) -> None:
        super().__init__()
        check_choice("nonlinearity", nonlinearity, "tanh", "relu")
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.nonlinearity = nonlinearity
        self.recurrent_init = recurrent_init
        self.weight_ih = nn.Parameter(torch.empty(hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(hidden_size)) if bias else None
        self.bias_hh = nn.Parameter(torch.empty(hidden_size)) if bias else None
        self.reset_parameters()

    @classmethod
    def from_torch(cls, layer: nn.Module) -> "RNN":
        """Return this cell with a copy of the weights of a torch.nn.RNN or torch.nn.RNNCell.

        Raises:
            ConfigError: another class, several layers, or two directions.
        """
        weights = single_layer(layer, nn.RNN, nn.RNNCell)
        nonlinearity, bias = str(layer.nonlinearity), "bias_ih" in weights
        return adopt(cls(*sizes(weights), nonlinearity=nonlinearity, bias=bias), weights)

    def reset_parameters(self) -> None:
        """Draw every weight from U(-1/sqrt(D), 1/sqrt(D)), then W_hh as asked."""
        initialise(self, self.weight_hh, self.hidden_size, self.recurrent_init)

    def initial_state(self, batch_size: int) -> RNNState:
        """Return zeros."""
        return RNNState(self.zeros(batch_size, self.hidden_size))

    def project(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... D"]:
        """Return W_ih x + b_ih."""
        return F.linear(x, self.weight_ih, self.bias_ih)

    def advance(
        self, projected: Float[Tensor, "B D"], state: RNNState
    ) -> tuple[Float[Tensor, "B D"], RNNState]:
        """Add what h brings, and squash."""
        product_h = F.linear(state.h.to(projected.dtype), self.weight_hh, self.bias_hh)
        a = (projected + product_h).to(state.h.dtype)
        h = torch.tanh(a) if self.nonlinearity == "tanh" else torch.relu(a)
        return h, RNNState(h)

    def plain_scan(
        self, x: Float[Tensor, "B T C"], state: RNNState
    ) -> tuple[Float[Tensor, "B T D"], RNNState]:
        """Advance over a chunk in torch's own kernel, where that computes in the state's dtype."""
        check_shape("x", x, "B T C", C=self.input_size)
        if not kernel_fits(x, state.h):
            return super().plain_scan(x, state)
        kernel = torch.rnn_tanh if self.nonlinearity == "tanh" else torch.rnn_relu
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        y, h = run_kernel(kernel, x, state.h, weights)
        return y, RNNState(h)
