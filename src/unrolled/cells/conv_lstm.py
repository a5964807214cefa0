"""Convolutional long short-term memory."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence
from unrolled.shapes import check_shape
from unrolled.state import state_dtype


class ConvLSTMState(NamedTuple):
    """What a ConvLSTM carries, maps of the frame's size: both at least float32."""

    h: Float[Tensor, "B D H W"]  # hidden maps, the output
    c: Float[Tensor, "B D H W"]  # memory cells


class ConvLSTM(Recurrence[ConvLSTMState]):
    """Long short-term memory over maps: every product of the LSTM is a convolution.

        i, f, g, o = W_ih * x + b + W_hh * h            `*` a convolution that keeps H and W
        i, f = sigmoid(i + w_ci c), sigmoid(f + w_cf c)
        c' = f c + i tanh(g)
        h' = sigmoid(o + w_co c') tanh(c')              y = h'

    The same module serves any frame size: the state takes its height and width from the frame.

    Shapes: x [B, T, C, H, W] float; state ConvLSTMState(h [B, D, H, W], c [B, D, H, W]);
        y [B, T, D, H, W].
    Args:
        input_size: C, channels that come in.
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
        if kernel_size % 2 == 0:
            raise ConfigError("an odd kernel_size", str(kernel_size))
        self.input_size = input_size
        self.hidden_size = hidden_size
        square = (kernel_size, kernel_size)
        self.weight_ih = nn.Parameter(torch.empty(4 * hidden_size, input_size, *square))
        self.weight_hh = nn.Parameter(torch.empty(4 * hidden_size, hidden_size, *square))
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size))
        self.weight_peephole = nn.Parameter(torch.zeros(3, hidden_size)) if peephole else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the kernels from U(-1/sqrt(fan), 1/sqrt(fan)), fan = D k²; the rest is zero."""
        bound = self.weight_hh[0].numel() ** -0.5
        nn.init.uniform_(self.weight_ih, -bound, bound)
        nn.init.uniform_(self.weight_hh, -bound, bound)

    def state_like(self, x_t: Float[Tensor, "B C H W"]) -> ConvLSTMState:
        """Return zero maps of the frame's height and width."""
        check_shape("x_t", x_t, "B C H W", C=self.input_size)
        batch_size, _, *size = x_t.shape
        shape = (batch_size, self.hidden_size, *size)
        dtype = state_dtype(x_t.dtype)
        return ConvLSTMState(x_t.new_zeros(shape, dtype=dtype), x_t.new_zeros(shape, dtype=dtype))

    def step(
        self, x_t: Float[Tensor, "B C H W"], state: ConvLSTMState
    ) -> tuple[Float[Tensor, "B D H W"], ConvLSTMState]:
        """Advance by one frame."""
        check_shape("x_t", x_t, "B C H W", C=self.input_size)
        product_x = F.conv2d(x_t, self.weight_ih, self.bias, padding="same")
        product_h = F.conv2d(state.h.to(x_t.dtype), self.weight_hh, padding="same")
        i, f, g, o = (product_x + product_h).to(state.c.dtype).chunk(4, dim=1)
        if self.weight_peephole is None:
            c = torch.sigmoid(f) * state.c + torch.sigmoid(i) * torch.tanh(g)
        else:
            w_ci, w_cf, w_co = self.weight_peephole[:, :, None, None].to(state.c.dtype)
            c = torch.sigmoid(f + w_cf * state.c) * state.c
            c = c + torch.sigmoid(i + w_ci * state.c) * torch.tanh(g)
            o = o + w_co * c
        h = torch.sigmoid(o) * torch.tanh(c)
        return h.to(x_t.dtype), ConvLSTMState(h, c)
