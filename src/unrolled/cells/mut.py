"""The three cells that Jozefowicz et al. found by mutation."""

from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.cells._cell import _Cell
from unrolled.cells._initialisation import initialise
from unrolled.errors import ConfigError


class MUTState(NamedTuple):
    """What a MUT cell carries, at least float32."""

    h: Float[Tensor, "B D"]  # hidden state, the output


class _MUT(_Cell[MUTState]):
    """What the three share: h' = z * tanh(n + W_hn (r * h)) + (1 - z) * h.

    Attributes:
        rows_ih: the blocks of rows of W_ih.
        rows_hh: the blocks of rows of W_hh. Without a z, the update gate does not see h.
        squash_for_z: the update gate sees tanh(h).
    """

    rows_ih: ClassVar[str]
    rows_hh: ClassVar[str]
    squash_for_z: ClassVar[bool] = False

    def __init__(self, input_size: int, hidden_size: int, recurrent_init: str) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.recurrent_init = recurrent_init
        self.weight_ih = nn.Parameter(torch.empty(len(self.rows_ih) * hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(len(self.rows_hh) * hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.empty(3 * hidden_size))

    def reset_parameters(self) -> None:
        """Draw every weight from U(-1/sqrt(D), 1/sqrt(D)), then W_hh as asked."""
        initialise(self, self.weight_hh, self.hidden_size, self.recurrent_init)

    def initial_state(self, batch_size: int) -> MUTState:
        """Return zeros."""
        return MUTState(self.zeros(batch_size, self.hidden_size))

    def advance(
        self, projected: Float[Tensor, "B R"], state: MUTState
    ) -> tuple[Float[Tensor, "B D"], MUTState]:
        """Reset, propose, and mix what is proposed with what was."""
        h = state.h
        weights = dict(zip(self.rows_hh, self.weight_hh.split(self.hidden_size), strict=True))
        z, r, n = projected.to(h.dtype).chunk(3, dim=-1)
        if "z" in weights:
            z = z + _product(torch.tanh(h) if self.squash_for_z else h, weights["z"])
        r = torch.sigmoid(r + _product(h, weights["r"]))
        n = torch.tanh(n + _product(r * h, weights["n"]))
        h = h + torch.sigmoid(z) * (n - h)
        return h, MUTState(h)


class _MUTOfRawInput(_MUT):
    """A MUT cell that adds its input to vectors of D entries as it is."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        project: bool = False,
        recurrent_init: str = "uniform",
    ) -> None:
        super().__init__(input_size, hidden_size, recurrent_init)
        if input_size != hidden_size and not project:
            raise ConfigError(
                f"input_size equal to hidden_size, as {type(self).__name__} adds x to its gates",
                f"{input_size} and {hidden_size}",
                "make them equal, or pass project=True to learn a projection of x",
            )
        self.weight_project = (
            nn.Parameter(torch.empty(hidden_size, input_size)) if project else None
        )
        self.reset_parameters()

    def as_hidden(self, x: Tensor) -> Tensor:
        """Return x, or its learned projection, with D entries."""
        return x if self.weight_project is None else F.linear(x, self.weight_project)


class MUT1(_MUTOfRawInput):
    """MUT1: the update gate sees the input only, the candidate a squashed input.

        z = sigmoid(W_xz x + b_z)
        r = sigmoid(W_xr x + W_hr h + b_r)
        h' = z * tanh(W_hn (r * h) + tanh(x) + b_n) + (1 - z) * h      y = h'

    W_ih holds the blocks of rows z, r; W_hh r, n; b z, r, n.

    Shapes: x [B, T, C] float; state MUTState(h [B, D]); y [B, T, D].
    Args:
        input_size: C, equal to D unless ``project``.
        hidden_size: D.
        project: put W_p x in place of the x in tanh(x).
        recurrent_init: how each block of W_hh starts: "uniform"; "orthogonal", a random rotation;
            "identity", I, every bias then 0.
    Raises:
        ConfigError: C is not D and ``project`` is off, or an unknown ``recurrent_init``.
        ShapeError: x has not C features.
    Source: Jozefowicz, Zaremba & Sutskever 2015. Differs: ``project``; weights start as torch's.
    Example:
        >>> y, _ = MUT1(5, 7, project=True)(torch.zeros(2, 3, 5))
        >>> y.shape
        torch.Size([2, 3, 7])
    """

    rows_ih = "zr"
    rows_hh = "rn"

    def project(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... R"]:
        """Return what x and b bring to z, r and n."""
        gates = F.linear(x, self.weight_ih)
        return torch.cat([gates, torch.tanh(self.as_hidden(x))], dim=-1) + self.bias


class MUT2(_MUTOfRawInput):
    """MUT2: the reset gate sees the input as it is.

        z = sigmoid(W_xz x + W_hz h + b_z)
        r = sigmoid(x + W_hr h + b_r)
        h' = z * tanh(W_hn (r * h) + W_xn x + b_n) + (1 - z) * h       y = h'

    W_ih holds the blocks of rows z, n; W_hh z, r, n; b z, r, n.

    Shapes: x [B, T, C] float; state MUTState(h [B, D]); y [B, T, D].
    Args:
        input_size: C, equal to D unless ``project``.
        hidden_size: D.
        project: put W_p x in place of the x that r sees.
        recurrent_init: how each block of W_hh starts: "uniform"; "orthogonal", a random rotation;
            "identity", I, every bias then 0.
    Raises:
        ConfigError: C is not D and ``project`` is off, or an unknown ``recurrent_init``.
        ShapeError: x has not C features.
    Source: Jozefowicz, Zaremba & Sutskever 2015. Differs: ``project``; weights start as torch's.
    Example:
        >>> y, _ = MUT2(5, 7, project=True)(torch.zeros(2, 3, 5))
        >>> y.shape
        torch.Size([2, 3, 7])
    """

    rows_ih = "zn"
    rows_hh = "zrn"

    def project(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... R"]:
        """Return what x and b bring to z, r and n."""
        z, n = F.linear(x, self.weight_ih).chunk(2, dim=-1)
        return torch.cat([z, self.as_hidden(x).to(z.dtype), n], dim=-1) + self.bias


class MUT3(_MUT):
    """MUT3: the update gate sees the hidden state squashed once more.

        z = sigmoid(W_xz x + W_hz tanh(h) + b_z)
        r = sigmoid(W_xr x + W_hr h + b_r)
        h' = z * tanh(W_hn (r * h) + W_xn x + b_n) + (1 - z) * h       y = h'

    W_ih, W_hh and b hold the blocks of rows z, r, n.

    Shapes: x [B, T, C] float; state MUTState(h [B, D]); y [B, T, D].
    Args:
        input_size: C.
        hidden_size: D.
        recurrent_init: how each block of W_hh starts: "uniform"; "orthogonal", a random rotation;
            "identity", I, every bias then 0.
    Raises:
        ConfigError: an unknown ``recurrent_init``.
        ShapeError: x has not C features.
    Source: Jozefowicz, Zaremba & Sutskever 2015. Differs: weights start as torch's.
    Example:
        >>> y, _ = MUT3(5, 7)(torch.zeros(2, 3, 5))
        >>> y.shape
        torch.Size([2, 3, 7])
    """

    rows_ih = "zrn"
    rows_hh = "zrn"
    squash_for_z = True

    def __init__(
        self, input_size: int, hidden_size: int, *, recurrent_init: str = "uniform"
    ) -> None:
        super().__init__(input_size, hidden_size, recurrent_init)
        self.reset_parameters()

    def project(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... R"]:
        """Return what x and b bring to z, r and n."""
        return F.linear(x, self.weight_ih, self.bias)


def _product(h: Tensor, weight: Tensor) -> Tensor:
    """Multiply in the weights' dtype, and return h's."""
    return F.linear(h.to(weight.dtype), weight).to(h.dtype)
