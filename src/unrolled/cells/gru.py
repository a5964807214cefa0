"""The gated recurrent unit."""

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


class GRUState(NamedTuple):
    """What a GRU carries, at least float32."""

    h: Float[Tensor, "B D"]  # hidden state, the output


class GRU(_Cell[GRUState]):
    """The gated recurrent unit: a reset gate and an update gate, no separate memory cell.

        r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
        z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
        n = tanh(W_in x + b_in + r * (W_hn h + b_hn))   reset="after"
        n = tanh(W_in x + b_in + W_hn (r * h) + b_hn)   reset="before"
        h' = z * h + (1 - z) * n                        update="keep"
        h' = (1 - z) * h + z * n                        update="write"
        y = h'

    The weights hold three blocks of rows, in the order r, z, n. Changing the sign of the z rows,
    weights and biases, turns one ``update`` into the other. No such change joins the two ``reset``.

    Shapes: x [B, T, C] float; state GRUState(h [B, D]); y [B, T, D].
    Args:
        input_size: C.
        hidden_size: D.
        bias: add b_ih and b_hh (two, as in torch, so that weights can be exchanged).
        reset: whether the gate comes "after" the product with W_hn or "before" it.
        update: whether an open z means "keep" the old h or "write" the new.
        recurrent_init: how each block of W_hh starts: "uniform"; "orthogonal", a random rotation;
            "identity", I, every bias then 0.
    Raises:
        ConfigError: an unknown ``reset``, ``update`` or ``recurrent_init``.
        ShapeError: x has not C features.
    Source: Cho et al. 2014, arXiv:1406.1078, eqs. 5-8, which is ``reset="before"``; weights have
        torch.nn.GRU's names (without ``_l0``), shapes, gate order and initial range, and the
        defaults are its equations. Differs: the paper writes no biases.
    Example:
        >>> y, state = GRU(5, 7)(torch.zeros(2, 3, 5))
        >>> y.shape, state.h.shape
        (torch.Size([2, 3, 7]), torch.Size([2, 7]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        reset: str = "after",
        update: str = "keep",
        recurrent_init: str = "uniform",
    ) -> None:
        super().__init__()
        check_choice("reset", reset, "after", "before")
        check_choice("update", update, "keep", "write")
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.reset = reset
        self.update = update
        self.recurrent_init = recurrent_init
        self.weight_ih = nn.Parameter(torch.empty(3 * hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(3 * hidden_size, hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(3 * hidden_size)) if bias else None
        self.bias_hh = nn.Parameter(torch.empty(3 * hidden_size)) if bias else None
        self.reset_parameters()

    @classmethod
    def from_torch(cls, layer: nn.Module) -> "GRU":
        """Return this cell with a copy of the weights of a torch.nn.GRU or torch.nn.GRUCell.

        Raises:
            ConfigError: another class, several layers, or two directions.
        """
        weights = single_layer(layer, nn.GRU, nn.GRUCell)
        return adopt(cls(*sizes(weights), bias="bias_ih" in weights), weights)

    def reset_parameters(self) -> None:
        """Draw every weight from U(-1/sqrt(D), 1/sqrt(D)), then W_hh as asked."""
        initialise(self, self.weight_hh, self.hidden_size, self.recurrent_init)

    def initial_state(self, batch_size: int) -> GRUState:
        """Return zeros."""
        return GRUState(self.zeros(batch_size, self.hidden_size))

    def project(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... R"]:
        """Return W_ih x + b_ih."""
        return F.linear(x, self.weight_ih, self.bias_ih)

    def advance(
        self, projected: Float[Tensor, "B R"], state: GRUState
    ) -> tuple[Float[Tensor, "B D"], GRUState]:
        """Reset, propose, and mix what is proposed with what was."""
        h = state.h
        r_x, z_x, n_x = projected.to(h.dtype).chunk(3, dim=-1)
        if self.reset == "after":
            r_h, z_h, n_h = _product(h, self.weight_hh, self.bias_hh).chunk(3, dim=-1)
            n = torch.tanh(n_x + torch.sigmoid(r_x + r_h) * n_h)
        else:
            rows = [2 * self.hidden_size, self.hidden_size]
            w_rz, w_n = self.weight_hh.split(rows)
            b_rz, b_n = (None, None) if self.bias_hh is None else self.bias_hh.split(rows)
            r_h, z_h = _product(h, w_rz, b_rz).chunk(2, dim=-1)
            n = torch.tanh(n_x + _product(torch.sigmoid(r_x + r_h) * h, w_n, b_n))
        z = torch.sigmoid(z_x + z_h)
        h = h + (1 - z if self.update == "keep" else z) * (n - h)  # shut, it keeps h to the bit
        return h, GRUState(h)

    def plain_scan(
        self, x: Float[Tensor, "B T C"], state: GRUState
    ) -> tuple[Float[Tensor, "B T D"], GRUState]:
        """Advance over a chunk, in torch's own kernel where that has these equations and dtype."""
        check_shape("x", x, "B T C", C=self.input_size)
        if (self.reset, self.update) != ("after", "keep") or not kernel_fits(x, state.h):
            return super().plain_scan(x, state)
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        y, h = run_kernel(torch.gru, x, state.h, weights)
        return y, GRUState(h)


def _product(h: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Multiply in the weights' dtype, and return h's."""
    return F.linear(h.to(weight.dtype), weight, bias).to(h.dtype)
