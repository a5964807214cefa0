"""The residual network of factorised convolutions, made causal."""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.layers import BatchNorm, CausalConv3d, Linear, PerFrame, Serial
from unrolled.layers._sizes import frame_after
from unrolled.layers.residual import Branches, Pairs
from unrolled.models._blocks import convolution, space_pool
from unrolled.recurrence import Recurrence
from unrolled.state import first_step


class R2Plus1DBlockState(NamedTuple):
    """What the parts of a block carry."""

    conv1: Any
    conv2: Any
    downsample: Any


class CausalR2Plus1DBlock(Recurrence[R2Plus1DBlockState]):
    """Two factorised convolutions beside a shortcut: space first, then the past.

        y = ReLU(downsample(x) + conv2(conv1(x)))
        conv(x) = bn(temporal(ReLU(bn(spatial(x)))))           conv1 has a ReLU behind it

    Shapes: x [B, T, C, H, W] float; state R2Plus1DBlockState(conv1, conv2, downsample); y [B, T, D,
        H / spatial_stride, W / spatial_stride].
    Args:
        in_channels: C.
        width: D.
        spatial_stride: of the first convolution and of the shortcut.
        dilations: frames between the taps of the first and of the second convolution.
    Source: Tran et al. 2018, arXiv:1711.11248, §3; see ``CausalR2Plus1D``.
    Example:
        >>> y, _ = CausalR2Plus1DBlock(3, 5, spatial_stride=2).eval()(torch.zeros(2, 7, 3, 8, 6))
        >>> y.shape
        torch.Size([2, 7, 5, 4, 3])
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        *,
        spatial_stride: int = 1,
        dilations: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__()
        # As many as give the parameters of a full convolution, of the first one for both.
        middle = in_channels * width * 27 // (in_channels * 9 + 3 * width)
        conv1 = _factorised(in_channels, middle, width, spatial_stride, dilations[0])
        conv2 = _factorised(width, middle, width, 1, dilations[1])
        self.conv1 = Serial(conv1, BatchNorm(width), PerFrame(nn.ReLU()))
        self.conv2 = Serial(conv2, BatchNorm(width))
        self.downsample: Serial | None = None
        if spatial_stride > 1 or in_channels != width:
            shortcut = convolution(in_channels, width, (1, 1, 1), spatial_stride=spatial_stride)
            self.downsample = Serial(shortcut, BatchNorm(width))
        self.supports = self.conv1.supports

    def branches(self, state: R2Plus1DBlockState) -> Branches:
        """Return the convolutions and the way around them with their states; a ReLU behind."""
        main: Pairs = [(self.conv1, state.conv1), (self.conv2, state.conv2)]
        return main, [] if self.downsample is None else [(self.downsample, state.downsample)], True

    def state_like(self, x_t: Float[Tensor, "B C H W"]) -> R2Plus1DBlockState:
        """Return black frames of the sizes that reach each convolution."""
        conv1 = self.conv1.state_like(x_t)
        middle = first_step(frame_after(self.conv1, x_t.unsqueeze(1), conv1))
        down = () if self.downsample is None else self.downsample.state_like(x_t)
        return R2Plus1DBlockState(conv1, self.conv2.state_like(middle), down)

    def scan(
        self, x: Float[Tensor, "B T C H W"], state: R2Plus1DBlockState
    ) -> tuple[Float[Tensor, "B T D H2 W2"], R2Plus1DBlockState]:
        """Run a chunk through both convolutions, and around them."""
        return self._run("scan", x, state)

    def step(
        self, x_t: Float[Tensor, "B C H W"], state: R2Plus1DBlockState
    ) -> tuple[Float[Tensor, "B D H2 W2"], R2Plus1DBlockState]:
        """Run one frame."""
        return self._run("step", x_t, state)

    def step_(
        self, x_t: Float[Tensor, "B C H W"], state: R2Plus1DBlockState
    ) -> tuple[Float[Tensor, "B D H2 W2"], R2Plus1DBlockState]:
        """Run one frame, and overwrite the state."""
        return self._run("step_", x_t, state)

    def _run(
        self, how: str, x: Tensor, state: R2Plus1DBlockState
    ) -> tuple[Tensor, R2Plus1DBlockState]:
        y, conv1 = getattr(self.conv1, how)(x, state.conv1)
        y, conv2 = getattr(self.conv2, how)(y, state.conv2)
        around, down = x, state.downsample
        if self.downsample is not None:
            around, down = getattr(self.downsample, how)(x, state.downsample)
        return torch.relu(around + y), R2Plus1DBlockState(conv1, conv2, down)


class CausalR2Plus1D(Serial):
    """R(2+1)D of 18 layers that looks back only and labels every frame.

        logits_t = fc(mean over places of layer4(layer3(layer2(layer1(stem(x))))))

    Names of parts and shapes of weights are those of ``R2Plus1D``, so that its weights fit. Where
    that network strides over time, the taps behind the stride stand further apart here, so that
    they meet the frames that they were trained on: every eighth frame has the answer of the network
    that strides and looks back only.

    Shapes: x [B, T, C, H, W] float; state one state a part; y [B, T, class_count] logits.
    Args:
        class_count: classes.
        width: channels of the first stage, doubled with every stage after it.
        input_channels: C.
        dilated: keep the taps as far apart as the strides over time make them; otherwise they are
            neighbours, which suits training from the beginning on short clips.
    Raises:
        ConfigError: a size below 1.
    Source: Tran et al. 2018, arXiv:1711.11248, Table 1 and §3.5. Differs: zeros stand for the past
        only, not for the future; dilation instead of strides over time; no mean over time.
    Example:
        >>> y, _ = CausalR2Plus1D(5, width=2).eval()(torch.zeros(2, 3, 3, 32, 32))
        >>> y.shape
        torch.Size([2, 3, 5])
    """

    def __init__(
        self,
        class_count: int = 400,
        *,
        width: int = 64,
        input_channels: int = 3,
        dilated: bool = True,
    ) -> None:
        if min(class_count, width, input_channels) < 1:
            got = f"{class_count = }, {width = }, {input_channels = }"
            raise ConfigError("sizes of at least 1", got)
        middle = max(1, width * 45 // 64)
        stem = Serial(
            CausalConv3d(
                input_channels, middle, kernel_size=(1, 7, 7), spatial_stride=2, bias=False
            ),
            BatchNorm(middle),
            PerFrame(nn.ReLU()),
            convolution(middle, width, (3, 1, 1)),
            BatchNorm(width),
            PerFrame(nn.ReLU()),
        )
        parts: dict[str, Recurrence[Any, Any, Any, Any]] = {"stem": stem}
        for number in range(4):
            size = width * 2 ** max(0, number - 1)
            near, far = (2 ** max(0, number - 1), 2**number) if dilated else (1, 1)
            parts[f"layer{number + 1}"] = Serial(
                CausalR2Plus1DBlock(
                    size,
                    width * 2**number,
                    spatial_stride=2 if number else 1,
                    dilations=(near, far),
                ),
                CausalR2Plus1DBlock(width * 2**number, width * 2**number, dilations=(far, far)),
            )
        super().__init__(parts | {"avgpool": space_pool(), "fc": Linear(8 * width, class_count)})
        self.class_count = class_count
        self.feature_size = 8 * width


def _factorised(
    in_channels: int, middle: int, out_channels: int, spatial_stride: int, dilation: int
) -> Serial:
    """Return space, then time, named as in torchvision's Conv2Plus1D."""
    return Serial(
        convolution(in_channels, middle, (1, 3, 3), spatial_stride=spatial_stride),
        BatchNorm(middle),
        PerFrame(nn.ReLU()),
        convolution(middle, out_channels, (3, 1, 1), dilation=dilation),
    )
