"""A memory that only adds."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.cells._cell import _Cell
from unrolled.cells._initialisation import initialise


class LinearMemoryState(NamedTuple):
    """What a LinearMemory carries, at least float32."""

    c: Float[Tensor, "B D"]  # memory, the output


class LinearMemory(_Cell[LinearMemoryState]):
    """A linear recurrent layer: nothing is squashed and nothing is gated.

        c' = W_hh c + W_ih x                            y = c'

    Started at W_hh = I it adds up what comes in, exactly, and the gradient by any earlier memory is
    exactly 1. This is the memory that the gates of an LSTM are put around.

    Shapes: x [B, T, C] float; state LinearMemoryState(c [B, D]); y [B, T, D].
    Args:
        input_size: C.
        hidden_size: D.
        recurrent_init: how W_hh starts: "identity", I; "orthogonal", a random rotation; "uniform".
    Raises:
        ConfigError: an unknown ``recurrent_init``.
        ShapeError: x has not C features.
    Source: the constant error carousel of Hochreiter & Schmidhuber 1997, without its gates.
        Differs: W_hh is learned, from I on.
    Example:
        >>> memory = LinearMemory(1, 1)
        >>> _ = torch.nn.init.ones_(memory.weight_ih)
        >>> y, _ = memory(torch.tensor([[[1.0], [2.0], [3.0]]]))
        >>> y.flatten().tolist()
        [1.0, 3.0, 6.0]
    """

    def __init__(
        self, input_size: int, hidden_size: int, *, recurrent_init: str = "identity"
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.recurrent_init = recurrent_init
        self.weight_ih = nn.Parameter(torch.empty(hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every weight from U(-1/sqrt(D), 1/sqrt(D)), then W_hh as asked."""
        initialise(self, self.weight_hh, self.hidden_size, self.recurrent_init)

    def initial_state(self, batch_size: int) -> LinearMemoryState:
        """Return zeros."""
        return LinearMemoryState(self.zeros(batch_size, self.hidden_size))

    def project(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... D"]:
        """Return W_ih x."""
        return F.linear(x, self.weight_ih)

    def advance(
        self, projected: Float[Tensor, "B D"], state: LinearMemoryState
    ) -> tuple[Float[Tensor, "B D"], LinearMemoryState]:
        """Add to the memory."""
        # In the state's dtype, the product too: low precision would lose what is small beside c.
        c = F.linear(state.c, self.weight_hh.to(state.c.dtype)) + projected
        return c, LinearMemoryState(c.to(state.c.dtype))
