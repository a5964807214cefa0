"""Long short-term memory whose gates see the memory cell."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from unrolled.cells._vanilla import _Vanilla
from unrolled.cells.lstm import LSTMState


class PeepholeLSTM(_Vanilla[LSTMState]):
    """Long short-term memory with peepholes: each gate sees its own memory cell.

        i, f, g, o = W_ih x + b + W_hh h                four blocks of rows, in this order
        i, f = sigmoid(i + p_i * c), sigmoid(f + p_f * c)
        c' = f * c + i * tanh(g)
        h' = sigmoid(o + p_o * c') * tanh(c')           y = h'

    Shapes: x [B, T, C] float; state LSTMState(h [B, D], c [B, D]); y [B, T, D].
    Args:
        input_size: C.
        hidden_size: D.
        forget_bias: added to the forget gate's b at the start, so that a new cell remembers.
        recurrent_init: how each block of W_hh starts: "uniform"; "orthogonal", a random rotation;
            "identity", I, every bias but the forget gate's then 0.
    Raises:
        ConfigError: an unknown ``recurrent_init``.
        ShapeError: x has not C features.
    Source: Gers & Schmidhuber 2000; as written in Graves 2013, arXiv:1308.0850, eqs. 7-11, and as
        the vanilla LSTM of Greff et al. 2017, arXiv:1503.04069. Differs: weights start as torch's.
    Example:
        >>> import torch
        >>> cell = PeepholeLSTM(5, 7)
        >>> y, state = cell(torch.zeros(2, 3, 5))
        >>> y.shape, cell.weight_peephole.shape
        (torch.Size([2, 3, 7]), torch.Size([3, 7]))
    """

    def initial_state(self, batch_size: int) -> LSTMState:
        """Return zeros."""
        return LSTMState(
            self.zeros(batch_size, self.hidden_size), self.zeros(batch_size, self.hidden_size)
        )

    def advance(
        self, projected: Float[Tensor, "B R"], state: LSTMState
    ) -> tuple[Float[Tensor, "B D"], LSTMState]:
        """Add what h brings, and let the gates decide."""
        product_h = F.linear(state.h.to(projected.dtype), self.weight_hh)
        memory = self._remember(projected + product_h, state.c)
        return memory.h, LSTMState(memory.h, memory.c)
