"""The gated recurrent unit over maps."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from unrolled.cells._conv_cell import _ConvCell, convolve
from unrolled.cells._options import check_choice


class ConvGRUState(NamedTuple):
    """What a ConvGRU carries, maps of the frame's size, at least float32."""

    h: Float[Tensor, "B D H W"]  # hidden maps, the output


class ConvGRU(_ConvCell[ConvGRUState]):
    """The gated recurrent unit over maps: every product of the GRU is a convolution.

        r = sigmoid(W_ir * x + b_ir + W_hr * h + b_hr)         `*` a convolution that keeps H and W
        z = sigmoid(W_iz * x + b_iz + W_hz * h + b_hz)
        n = tanh(W_in * x + b_in + W_hn * (r h) + b_hn)        reset="before"
        n = tanh(W_in * x + b_in + r (W_hn * h + b_hn))        reset="after"
        h' = (1 - z) h + z n                                   update="write"
        h' = z h + (1 - z) n                                   update="keep"
        y = h'

    The weights hold three blocks of channels, in the order r, z, n. The same module serves any
    frame size: the state takes its height and width from the frame.

    Shapes: x [B, T, C, H, W] float; state ConvGRUState(h [B, D, H, W]); y [B, T, D, H, W].
    Args:
        input_size: C, channels that come in.
        hidden_size: D, channels of h.
        kernel_size: height and width of all kernels, odd.
        bias: add b_ih and b_hh.
        reset: whether the gate comes "before" the product with W_hn or "after" it.
        update: whether an open z means "write" the new h or "keep" the old.
    Raises:
        ConfigError: an even ``kernel_size``, which has no middle; an unknown ``reset`` or
            ``update``.
        ShapeError: x has not C channels.
    Source: Ballas et al. 2016, arXiv:1511.06432, eqs. 6-9, which are the defaults. Differs: the
        paper writes no biases. With 1 x 1 kernels on 1 x 1 frames, reset="after" and update="keep"
        it is torch.nn.GRU.
    Example:
        >>> y, state = ConvGRU(3, 4)(torch.zeros(2, 5, 3, 8, 6))
        >>> y.shape
        torch.Size([2, 5, 4, 8, 6])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        kernel_size: int = 3,
        bias: bool = True,
        reset: str = "before",
        update: str = "write",
    ) -> None:
        super().__init__()
        check_choice("reset", reset, "before", "after")
        check_choice("update", update, "write", "keep")
        self.reset = reset
        self.update = update
        self._make_kernels(3, input_size, hidden_size, kernel_size)
        self.bias_ih = nn.Parameter(torch.zeros(3 * hidden_size)) if bias else None
        self.bias_hh = nn.Parameter(torch.zeros(3 * hidden_size)) if bias else None

    def state_like(self, x_t: Float[Tensor, "B C H W"]) -> ConvGRUState:
        """Return zero maps of the frame's height and width."""
        return ConvGRUState(self.zero_maps(x_t))

    def project(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N R H W"]:
        """Return W_ih * x + b_ih."""
        return convolve(x, self.weight_ih, self.bias_ih)

    def advance(
        self, projected: Float[Tensor, "B R H W"], state: ConvGRUState
    ) -> tuple[Float[Tensor, "B D H W"], ConvGRUState]:
        """Reset, propose, and mix what is proposed with what was."""
        h = state.h
        r_x, z_x, n_x = projected.to(h.dtype).chunk(3, dim=1)
        if self.reset == "after":
            r_h, z_h, n_h = convolve(h, self.weight_hh, self.bias_hh).chunk(3, dim=1)
            n = torch.tanh(n_x + torch.sigmoid(r_x + r_h) * n_h)
        else:
            blocks = [2 * self.hidden_size, self.hidden_size]
            w_rz, w_n = self.weight_hh.split(blocks)
            b_rz, b_n = (None, None) if self.bias_hh is None else self.bias_hh.split(blocks)
            r_h, z_h = convolve(h, w_rz, b_rz).chunk(2, dim=1)
            n = torch.tanh(n_x + convolve(torch.sigmoid(r_x + r_h) * h, w_n, b_n))
        z = torch.sigmoid(z_x + z_h)
        h = h + (z if self.update == "write" else 1 - z) * (n - h)  # shut, it keeps h to the bit
        return h, ConvGRUState(h)
