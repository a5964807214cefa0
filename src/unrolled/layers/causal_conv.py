"""A convolution over time that looks back only."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence
from unrolled.shapes import check_shape
from unrolled.state import state_dtype


class CausalConvState(NamedTuple):
    """The last frames, oldest first; at least float32. Zeros stand for what was never seen."""

    frames: Float[Tensor, "B P C"]  # P = (kernel_size - 1) * dilation


class CausalConv1d(Recurrence[CausalConvState]):
    """Convolve over time, looking ``(kernel_size - 1) * dilation`` steps back and none ahead.

        y_j = bias + sum over k of weight[:, :, k] x[j * stride - (kernel_size - 1 - k) * dilation]

    Shapes: x [B, T, C] float, T a multiple of stride; state CausalConvState(frames
        [B, (kernel_size - 1) * dilation, C]); y [B, T / stride, D].
    Args:
        in_channels: C.
        out_channels: D.
        kernel_size: taps.
        dilation: steps between taps.
        stride: steps of x for one of y; y_j is computed at the first step of its block.
        bias: add a bias.
    Raises:
        ConfigError: a size below 1.
        ShapeError: x has not C channels, or T is not a multiple of the stride.
    Source: van den Oord et al. 2016, arXiv:1609.03499, §2.1. Equals torch.nn.Conv1d on x padded on
        the left; weights have its names, shapes and initial range.
    Example:
        >>> y, state = CausalConv1d(3, 5, kernel_size=2, dilation=4)(torch.zeros(2, 7, 3))
        >>> y.shape, state.frames.shape
        (torch.Size([2, 7, 5]), torch.Size([2, 4, 3]))
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: int,
        dilation: int = 1,
        stride: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if min(kernel_size, dilation, stride) < 1:
            raise ConfigError(
                "sizes of at least 1", f"{kernel_size = }, {dilation = }, {stride = }"
            )
        self.in_channels = in_channels
        self.dilation = dilation
        self.stride = stride
        self.history = (kernel_size - 1) * dilation
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel_size))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        for parameter in self.parameters():
            bound = (in_channels * kernel_size) ** -0.5
            nn.init.uniform_(parameter, -bound, bound)

    def initial_state(self, batch_size: int) -> CausalConvState:
        """Return zeros: silence before the beginning."""
        return CausalConvState(self.zeros(batch_size, self.history, self.in_channels))

    def step(
        self, x_t: Float[Tensor, "B *S C"], state: CausalConvState
    ) -> tuple[Float[Tensor, "B D"], CausalConvState]:
        """Take one step, or one block, in one product with the frames that the taps meet."""
        x = x_t if self.stride > 1 else x_t.unsqueeze(1)
        check_shape("x_t with its time axis", x, "B S C", C=self.in_channels)
        before = state.frames[:, :: self.dilation].to(x.dtype)
        taps = torch.cat([before, x[:, :1]], dim=1).mT  # [B, C, kernel_size]
        y_t = F.linear(taps.flatten(1), self.weight.flatten(1), self.bias)
        recent = torch.cat([state.frames[:, x.shape[1] :], x.to(state.frames.dtype)], dim=1)
        return y_t, CausalConvState(recent[:, recent.shape[1] - self.history :])

    def scan(
        self, x: Float[Tensor, "B T C"], state: CausalConvState
    ) -> tuple[Float[Tensor, "B S D"], CausalConvState]:
        """Convolve a chunk behind the frames that came before it."""
        check_shape("x", x, "B T C", C=self.in_channels)
        frames = torch.cat([state.frames.to(x.dtype), x], dim=1)
        y = F.conv1d(
            frames.transpose(1, 2),
            self.weight,
            self.bias,
            stride=self.stride,
            dilation=self.dilation,
        )
        recent = frames[:, frames.shape[1] - self.history :].to(state_dtype(x.dtype))
        return y.transpose(1, 2), CausalConvState(recent)
