"""The eight variants of "LSTM: A Search Space Odyssey", each one change to the peephole LSTM."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.cells._vanilla import _Vanilla
from unrolled.cells.peephole_lstm import PeepholeLSTM


class NIG(PeepholeLSTM):
    """No input gate: i = 1, everything is written.

        f, g, o = W_ih x + b + W_hh h                   three blocks of rows, in this order
        c' = sigmoid(f + p_f * c) * c + tanh(g)
        h' = sigmoid(o + p_o * c') * tanh(c')           y = h'

    Shapes: x [B, T, C] float; state LSTMState(h [B, D], c [B, D]); y [B, T, D].
    Args: as ``PeepholeLSTM``.
    Source: Greff et al. 2017, arXiv:1503.04069. Differs: weights start as torch's.
    Example:
        >>> y, _ = NIG(5, 7)(torch.zeros(2, 3, 5))
        >>> y.shape
        torch.Size([2, 3, 7])
    """

    blocks = "fgo"
    peepholes = "fo"


class NFG(PeepholeLSTM):
    """No forget gate: f = 1, the cell only adds.

        i, g, o = W_ih x + b + W_hh h                   three blocks of rows, in this order
        c' = c + sigmoid(i + p_i * c) * tanh(g)
        h' = sigmoid(o + p_o * c') * tanh(c')           y = h'

    Shapes: x [B, T, C] float; state LSTMState(h [B, D], c [B, D]); y [B, T, D].
    Args: as ``PeepholeLSTM``, without ``forget_bias``.
    Source: Greff et al. 2017, arXiv:1503.04069. Differs: weights start as torch's.
    Example:
        >>> y, _ = NFG(5, 7)(torch.zeros(2, 3, 5))
        >>> y.shape
        torch.Size([2, 3, 7])
    """

    blocks = "igo"
    peepholes = "io"

    def __init__(
        self, input_size: int, hidden_size: int, *, recurrent_init: str = "uniform"
    ) -> None:
        super().__init__(input_size, hidden_size, recurrent_init=recurrent_init)


class NOG(PeepholeLSTM):
    """No output gate: o = 1, everything is shown.

        i, f, g = W_ih x + b + W_hh h                   three blocks of rows, in this order
        i, f = sigmoid(i + p_i * c), sigmoid(f + p_f * c)
        c' = f * c + i * tanh(g)
        h' = tanh(c')                                   y = h'

    Shapes: x [B, T, C] float; state LSTMState(h [B, D], c [B, D]); y [B, T, D].
    Args: as ``PeepholeLSTM``.
    Source: Greff et al. 2017, arXiv:1503.04069. Differs: weights start as torch's.
    Example:
        >>> y, _ = NOG(5, 7)(torch.zeros(2, 3, 5))
        >>> y.shape
        torch.Size([2, 3, 7])
    """

    blocks = "ifg"
    peepholes = "if"


class NIAF(PeepholeLSTM):
    """No input activation function: what is written is not squashed.

        i, f, g, o = W_ih x + b + W_hh h                four blocks of rows, in this order
        i, f = sigmoid(i + p_i * c), sigmoid(f + p_f * c)
        c' = f * c + i * g
        h' = sigmoid(o + p_o * c') * tanh(c')           y = h'

    Shapes: x [B, T, C] float; state LSTMState(h [B, D], c [B, D]); y [B, T, D].
    Args: as ``PeepholeLSTM``.
    Source: Greff et al. 2017, arXiv:1503.04069. Differs: weights start as torch's.
    Example:
        >>> y, _ = NIAF(5, 7)(torch.zeros(2, 3, 5))
        >>> y.shape
        torch.Size([2, 3, 7])
    """

    squash_input = False


class NOAF(PeepholeLSTM):
    """No output activation function: what is shown is not squashed.

        i, f, g, o = W_ih x + b + W_hh h                four blocks of rows, in this order
        i, f = sigmoid(i + p_i * c), sigmoid(f + p_f * c)
        c' = f * c + i * tanh(g)
        h' = sigmoid(o + p_o * c') * c'                 y = h'

    Shapes: x [B, T, C] float; state LSTMState(h [B, D], c [B, D]); y [B, T, D].
    Args: as ``PeepholeLSTM``.
    Source: Greff et al. 2017, arXiv:1503.04069. Differs: weights start as torch's.
    Example:
        >>> y, _ = NOAF(5, 7)(torch.zeros(2, 3, 5))
        >>> y.shape
        torch.Size([2, 3, 7])
    """

    squash_output = False


class NP(PeepholeLSTM):
    """No peepholes: the gates do not see the cell.

        i, f, g, o = W_ih x + b + W_hh h                four blocks of rows, in this order
        c' = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h' = sigmoid(o) * tanh(c')                      y = h'

    Shapes: x [B, T, C] float; state LSTMState(h [B, D], c [B, D]); y [B, T, D].
    Args: as ``PeepholeLSTM``.
    Source: Greff et al. 2017, arXiv:1503.04069. Differs: weights start as torch's.
    Example:
        >>> y, _ = NP(5, 7)(torch.zeros(2, 3, 5))
        >>> y.shape
        torch.Size([2, 3, 7])
    """

    peepholes = ""


class CIFG(PeepholeLSTM):
    """Coupled input and forget gate: f = 1 - i, what is written replaces what was there.

        i, g, o = W_ih x + b + W_hh h                   three blocks of rows, in this order
        i = sigmoid(i + p_i * c)
        c' = (1 - i) * c + i * tanh(g)
        h' = sigmoid(o + p_o * c') * tanh(c')           y = h'

    Shapes: x [B, T, C] float; state LSTMState(h [B, D], c [B, D]); y [B, T, D].
    Args: as ``PeepholeLSTM``; ``forget_bias`` is taken off the input gate's b, to the same effect.
    Source: Greff et al. 2017, arXiv:1503.04069. Differs: weights start as torch's.
    Example:
        >>> y, _ = CIFG(5, 7)(torch.zeros(2, 3, 5))
        >>> y.shape
        torch.Size([2, 3, 7])
    """

    blocks = "igo"
    peepholes = "io"
    coupled = True


class FGRState(NamedTuple):
    """What an FGR carries, all at least float32: its gates see each other, one step late."""

    h: Float[Tensor, "B D"]  # hidden state, the output
    c: Float[Tensor, "B D"]  # memory cell
    i: Float[Tensor, "B D"]  # input gate, after its sigmoid, as the other two
    f: Float[Tensor, "B D"]  # forget gate
    o: Float[Tensor, "B D"]  # output gate


class FGR(_Vanilla[FGRState]):
    """Full gate recurrence: each gate sees, besides, all gates at the step before.

        i, f, g, o = W_ih x + b + W_hh h                four blocks of rows, in this order
        i, f, o = (i, f, o) + W_gates (i_before, f_before, o_before)
        i', f' = sigmoid(i + p_i * c), sigmoid(f + p_f * c)
        c' = f' * c + i' * tanh(g)
        o' = sigmoid(o + p_o * c')
        h' = o' * tanh(c')                              y = h'

    W_gates holds nine D×D matrices, its blocks of rows and of columns in the order i, f, o.

    Shapes: x [B, T, C] float; state FGRState, five of [B, D]; y [B, T, D].
    Args: as ``PeepholeLSTM``.
    Source: Greff et al. 2017, arXiv:1503.04069. Differs: weights start as torch's.
    Example:
        >>> cell = FGR(5, 7)
        >>> y, _ = cell(torch.zeros(2, 3, 5))
        >>> y.shape, cell.weight_gates.shape
        (torch.Size([2, 3, 7]), torch.Size([21, 21]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_bias: float = 1.0,
        recurrent_init: str = "uniform",
    ) -> None:
        super().__init__(
            input_size, hidden_size, forget_bias=forget_bias, recurrent_init=recurrent_init
        )
        bound = hidden_size**-0.5
        self.weight_gates = nn.Parameter(
            torch.empty(3 * hidden_size, 3 * hidden_size).uniform_(-bound, bound)
        )

    def initial_state(self, batch_size: int) -> FGRState:
        """Return zeros."""
        return FGRState(*(self.zeros(batch_size, self.hidden_size) for _ in FGRState._fields))

    def advance(
        self, projected: Float[Tensor, "B R"], state: FGRState
    ) -> tuple[Float[Tensor, "B D"], FGRState]:
        """Add what h and the gates bring, and let the gates decide."""
        product_h = F.linear(state.h.to(projected.dtype), self.weight_hh)
        gates = torch.cat([state.i, state.f, state.o], dim=-1)
        i, f, o = F.linear(gates.to(projected.dtype), self.weight_gates).chunk(3, dim=-1)
        from_gates = torch.cat([i, f, torch.zeros_like(o), o], dim=-1)  # g sees no gate
        memory = self._remember(projected + product_h + from_gates, state.c)
        return memory.h, FGRState(*memory)
