"""The vanilla recurrent network over maps."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from unrolled.cells._conv_cell import _ConvCell, convolve
from unrolled.cells._options import check_choice


class ConvRNNState(NamedTuple):
    """What a ConvRNN carries, maps of the frame's size, at least float32."""

    h: Float[Tensor, "B D H W"]  # hidden maps, the output


class ConvRNN(_ConvCell[ConvRNNState]):
    """The vanilla recurrent network over maps: both of its products are convolutions.

        h' = tanh(W_ih * x + b + W_hh * h)            `*` a convolution that keeps H and W
        y = h'

    Every place depends on its neighbourhood in the frame and in the maps before. The same module
    serves any frame size: the state takes its height and width from the frame.

    Shapes: x [B, T, C, H, W] float; state ConvRNNState(h [B, D, H, W]); y [B, T, D, H, W].
    Args:
        input_size: C, channels that come in.
        hidden_size: D, channels of h.
        kernel_size: height and width of both kernels, odd.
        nonlinearity: "tanh" or "relu".
        bias: add b.
    Raises:
        ConfigError: an even ``kernel_size``, which has no middle, or an unknown ``nonlinearity``.
        ShapeError: x has not C channels.
    Source: Elman 1990, with the products of Ballas et al. 2016, arXiv:1511.06432, §3.1. With 1 x 1
        kernels on 1 x 1 frames it is torch.nn.RNN.
    Example:
        >>> y, state = ConvRNN(3, 4)(torch.zeros(2, 5, 3, 8, 6))
        >>> y.shape
        torch.Size([2, 5, 4, 8, 6])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        kernel_size: int = 3,
        nonlinearity: str = "tanh",
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_choice("nonlinearity", nonlinearity, "tanh", "relu")
        self.nonlinearity = nonlinearity
        self._make_kernels(1, input_size, hidden_size, kernel_size)
        self.bias = nn.Parameter(torch.zeros(hidden_size)) if bias else None

    def state_like(self, x_t: Float[Tensor, "B C H W"]) -> ConvRNNState:
        """Return zero maps of the frame's height and width."""
        return ConvRNNState(self.zero_maps(x_t))

    def project(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D H W"]:
        """Return W_ih * x + b."""
        return convolve(x, self.weight_ih, self.bias)

    def advance(
        self, projected: Float[Tensor, "B D H W"], state: ConvRNNState
    ) -> tuple[Float[Tensor, "B D H W"], ConvRNNState]:
        """Add what the maps before bring, and squash."""
        total = projected.to(state.h.dtype) + convolve(state.h, self.weight_hh)
        h = torch.tanh(total) if self.nonlinearity == "tanh" else torch.relu(total)
        return h, ConvRNNState(h)
