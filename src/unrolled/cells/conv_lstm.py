"""Convolutional long short-term memory."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from unrolled.cells._conv_cell import _ConvCell, convolve


class ConvLSTMState(NamedTuple):
    """What a ConvLSTM carries, maps of the frame's size: both at least float32."""

    h: Float[Tensor, "B D H W"]  # hidden maps, the output
    c: Float[Tensor, "B D H W"]  # memory cells


class ConvLSTM(_ConvCell[ConvLSTMState]):
    """Long short-term memory over maps: every product of the LSTM is a convolution.

        i, f, g, o = W_ih * x + b + W_hh * h            `*` a convolution that keeps H and W
        i, f = sigmoid(i + w_ci c), sigmoid(f + w_cf c)
        c' = f c + i tanh(g)
        h' = sigmoid(o + w_co c') tanh(c')              y = h'

    The same module serves any frame size: the state takes its height and width from the frame.

    Shapes: x [B, T, C, H, W] float; state ConvLSTMState(h [B, D, H, W], c [B, D, H, W]);
        y [B, T, D, H, W].
    Args:
        input_size: C, channels that come in; 0 for a layer that only goes on from its state, whose
            frames say no more than H and W.
        hidden_size: D, channels of h and c.
        kernel_size: height and width of both kernels, odd.
        peephole: let the gates see the cell, by one weight a channel.
    Raises:
        ConfigError: an even ``kernel_size``, which has no middle.
        ShapeError: x has not C channels.
    Source: Shi et al. 2015, arXiv:1506.04214, eq. 3. Differs: peepholes are one weight a channel
        rather than a map, so that the frame size is free.
    Example:
        >>> y, state = ConvLSTM(3, 4)(torch.zeros(2, 5, 3, 8, 6))
        >>> y.shape
        torch.Size([2, 5, 4, 8, 6])
    """

    def __init__(
        self, input_size: int, hidden_size: int, *, kernel_size: int = 3, peephole: bool = True
    ) -> None:
        super().__init__()
        self._make_kernels(4, input_size, hidden_size, kernel_size)
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size))
        self.weight_peephole = nn.Parameter(torch.zeros(3, hidden_size)) if peephole else None

    def state_like(self, x_t: Float[Tensor, "B C H W"]) -> ConvLSTMState:
        """Return zero maps of the frame's height and width."""
        return ConvLSTMState(self.zero_maps(x_t), self.zero_maps(x_t))

    def project(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N R H W"]:
        """Return W_ih * x + b."""
        if self.input_size == 0:
            return self.bias[:, None, None].expand(len(x), -1, *x.shape[2:])
        return convolve(x, self.weight_ih, self.bias)

    def advance(
        self, projected: Float[Tensor, "B R H W"], state: ConvLSTMState
    ) -> tuple[Float[Tensor, "B D H W"], ConvLSTMState]:
        """Open the gates by what is seen, what was said and the cell itself; write, and read."""
        c = state.c
        i, f, g, o = (projected.to(c.dtype) + convolve(state.h, self.weight_hh)).chunk(4, dim=1)
        if self.weight_peephole is None:
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        else:
            w_ci, w_cf, w_co = self.weight_peephole[:, :, None, None].to(c.dtype)
            i, f = i + w_ci * c, f + w_cf * c
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            o = o + w_co * c
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, ConvLSTMState(h, c)
