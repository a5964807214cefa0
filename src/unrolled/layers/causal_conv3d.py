"""A convolution over space and time that looks back only."""

from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence
from unrolled.shapes import check_shape
from unrolled.state import state_dtype


class CausalConv3dState(NamedTuple):
    """The last frames, oldest first; at least float32. Zeros stand for what was never seen."""

    frames: Float[Tensor, "B P C H W"]  # P = (kernel_size[0] - 1) * dilation


class CausalConv3d(Recurrence[CausalConv3dState]):
    """Convolve over frames, looking ``(kernel_size[0] - 1) * dilation`` back and none ahead.

        y_t = bias + sum over k of weight[:, :, k] * x[t - (kernel_size[0] - 1 - k) * dilation]

    ``*`` is a convolution of one frame, padded by zeros at its edges. A chunk is one 3D
    convolution. A step is one 2D convolution over the channels of all the frames that the taps
    meet, so a frame costs the same products whatever the length of the clip. Frames are computed
    with their channels last in memory, which is how they go out too.

    Shapes: x [B, T, C, H, W] float; state CausalConv3dState(frames
        [B, (kernel_size[0] - 1) * dilation, C, H, W]); y [B, T, D, H', W'].
    Args:
        in_channels: C.
        out_channels: D.
        kernel_size: taps over time, height and width.
        spatial_stride: steps over height and width; time is never strided, so that every frame has
            an answer.
        spatial_padding: zeros around a frame; None keeps H and W where the spatial stride is 1.
        dilation: frames between taps.
        groups: of channels that see each other; C for a depthwise convolution.
        bias: add a bias.
    Raises:
        ConfigError: a size below 1, channels that ``groups`` does not divide, or no padding given
            for an even kernel.
        ShapeError: x has not C channels.
    Source: Köpüklü et al. 2022, arXiv:2106.00050, §3, and Kondratyuk et al. 2021,
        arXiv:2103.11511, §3.2 (causal convolution with a stream buffer). Equals torch.nn.Conv3d on
        x padded with zeros in the past; weights have its names, shapes and initial range.
    Example:
        >>> conv = CausalConv3d(3, 5, kernel_size=(3, 3, 3), spatial_stride=2)
        >>> y, state = conv(torch.zeros(2, 7, 3, 8, 6))
        >>> y.shape, state.frames.shape
        (torch.Size([2, 7, 5, 4, 3]), torch.Size([2, 2, 3, 8, 6]))
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: tuple[int, int, int],
        spatial_stride: int = 1,
        spatial_padding: tuple[int, int] | None = None,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        _check_sizes(kernel_size, spatial_stride, spatial_padding, dilation)
        if in_channels % groups or out_channels % groups:
            raise ConfigError(f"channels that {groups = } divides", f"{in_channels, out_channels}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.spatial_stride = spatial_stride
        self.spatial_padding = spatial_padding or (kernel_size[1] // 2, kernel_size[2] // 2)
        self.dilation = dilation
        self.groups = groups
        self.history = (kernel_size[0] - 1) * dilation
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels // groups, *kernel_size))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        bound = self.weight[0].numel() ** -0.5
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def state_like(self, x_t: Float[Tensor, "B C H W"]) -> CausalConv3dState:
        """Return zeros of the frame's size: nothing was seen before the beginning."""
        check_shape("x_t", x_t, "B C H W", C=self.in_channels)
        batch_size, *size = x_t.shape
        shape = (batch_size, self.history, *size)
        return CausalConv3dState(x_t.new_zeros(shape, dtype=state_dtype(x_t.dtype)))

    def step(
        self, x_t: Float[Tensor, "B C H W"], state: CausalConv3dState
    ) -> tuple[Float[Tensor, "B D H2 W2"], CausalConv3dState]:
        """Take one frame, in one product with the frames that the taps meet."""
        y_t = self._convolve_frame(x_t, state)
        new = x_t.unsqueeze(1).to(state.frames.dtype)
        frames = torch.cat([state.frames, new], dim=1)[:, 1:] if self.history else state.frames
        return y_t, CausalConv3dState(frames)

    def step_(
        self, x_t: Float[Tensor, "B C H W"], state: CausalConv3dState
    ) -> tuple[Float[Tensor, "B D H2 W2"], CausalConv3dState]:
        """Take one frame, and move the frames of the given state up by one, in place."""
        y_t = self._convolve_frame(x_t, state)
        slots = [*state.frames.unbind(1), x_t]
        for slot, newer in pairwise(slots):
            slot.copy_(newer)
        return y_t, state

    def scan(
        self, x: Float[Tensor, "B T C H W"], state: CausalConv3dState
    ) -> tuple[Float[Tensor, "B T D H2 W2"], CausalConv3dState]:
        """Convolve a chunk behind the frames that came before it."""
        check_shape("x", x, "B T C H W", C=self.in_channels)
        frames = torch.cat([state.frames.to(x.dtype), x], dim=1) if self.history else x
        y = F.conv3d(
            frames.transpose(1, 2).contiguous(memory_format=torch.channels_last_3d),
            self.weight,
            self.bias,
            stride=(1, self.spatial_stride, self.spatial_stride),
            padding=(0, *self.spatial_padding),
            dilation=(self.dilation, 1, 1),
            groups=self.groups,
        )
        recent = frames[:, frames.shape[1] - self.history :].to(state_dtype(x.dtype))
        return y.transpose(1, 2), CausalConv3dState(recent)

    def _convolve_frame(self, x_t: Tensor, state: CausalConv3dState) -> Tensor:
        check_shape("x_t", x_t, "B C H W", C=self.in_channels)
        before = state.frames[:, :: self.dilation].to(x_t.dtype).unbind(1)
        taps = [tap.contiguous(memory_format=torch.channels_last) for tap in (*before, x_t)]
        if self.groups == 1:
            # One product: the taps' channels side by side, as the weight has them with time moved.
            weight = self.weight.transpose(1, 2).flatten(1, 2)
            return self._convolve(torch.cat(taps, dim=1), weight, self.bias)
        y_t = self._convolve(taps[-1], self.weight[:, :, -1], self.bias)
        for number, tap in enumerate(taps[:-1]):
            y_t = y_t + self._convolve(tap, self.weight[:, :, number], None)
        return y_t

    def _convolve(self, frame: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        weight = weight.contiguous(memory_format=torch.channels_last)
        stride, padding = self.spatial_stride, self.spatial_padding
        return F.conv2d(frame, weight, bias, stride, padding, groups=self.groups)


def _check_sizes(
    kernel_size: tuple[int, int, int],
    spatial_stride: int,
    spatial_padding: tuple[int, int] | None,
    dilation: int,
) -> None:
    if min(*kernel_size, spatial_stride, dilation) < 1:
        got = f"{kernel_size = }, {spatial_stride = }, {dilation = }"
        raise ConfigError("sizes of at least 1", got)
    if spatial_padding is None and (kernel_size[1] % 2 == 0 or kernel_size[2] % 2 == 0):
        raise ConfigError(
            "an odd height and width of the kernel", f"{kernel_size = }", "give spatial_padding"
        )
