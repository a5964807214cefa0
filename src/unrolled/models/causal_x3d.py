"""The expanded network of thin depthwise convolutions, made causal."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from unrolled.errors import ConfigError
from unrolled.layers import (
    BatchNorm,
    CausalMeanPool,
    Linear,
    PerFrame,
    Residual,
    RunningMean,
    Serial,
    SqueezeExcitation,
)
from unrolled.models._blocks import convolution, rectified, space_pool
from unrolled.recurrence import Recurrence


class CausalX3D(Serial):
    """X3D that looks back only and labels every frame; its default sizes are those of X3D-S.

        maps = stages(ReLU(bn(temporal(spatial(x)))))
        block(x) = ReLU(x + bn(conv(swish(excite(bn(depthwise(ReLU(bn(conv(x))))))))))
        logits_t = W ReLU(V mean of the last frames and all places of ReLU(bn(conv(maps)))) + b

    ``depthwise`` has 3 x 3 x 3 taps in every channel, ``conv`` one; every second block excites.

    Shapes: x [B, T, C, H, W] float; state one state a layer; y [B, T, class_count] logits.
    Args:
        class_count: classes.
        widths: channels of the four stages.
        depths: blocks of each stage.
        expansion: how many times wider a block is inside.
        head_size: units before the classes.
        window: frames whose mean is taken; None for all frames so far.
    Raises:
        ConfigError: a size below 1, or stages without depths.
    Source: Feichtenhofer 2020, arXiv:2004.04730, Tables 1 and 3. Differs: zeros stand for the past
        only; excitation looks at one frame at a time; the mean over time ends at the present.
    Example:
        >>> import torch
        >>> model = CausalX3D(5, widths=(4, 6), depths=(1, 2), head_size=7).eval()
        >>> y, _ = model(torch.zeros(2, 3, 3, 32, 32))
        >>> y.shape
        torch.Size([2, 3, 5])
    """

    def __init__(
        self,
        class_count: int = 400,
        *,
        input_channels: int = 3,
        widths: Sequence[int] = (24, 48, 96, 192),
        depths: Sequence[int] = (3, 5, 11, 7),
        expansion: float = 2.25,
        head_size: int = 2048,
        window: int | None = 13,
    ) -> None:
        sizes = (class_count, input_channels, head_size, *widths, *depths)
        if not widths or len(widths) != len(depths) or min(sizes) < 1:
            got = f"{class_count = }, {input_channels = }, {widths = }, {depths = }, {head_size = }"
            raise ConfigError("as many depths as widths, and sizes of at least 1", got)
        width = widths[0]
        layers: list[Recurrence[Any, Any, Any, Any]] = [
            convolution(input_channels, width, (1, 3, 3), spatial_stride=2),
            rectified(convolution(width, width, (5, 1, 1), groups=width)),
        ]
        for stage, depth in zip(widths, depths, strict=True):
            for number in range(depth):
                inner = int(stage * expansion)
                layers.append(
                    _block(width, inner, stage, first=number == 0, excites=number % 2 == 0)
                )
                layers.append(PerFrame(nn.ReLU()))
                width = stage
        inner = int(width * expansion)
        layers += [rectified(convolution(width, inner, (1, 1, 1))), space_pool()]
        layers.append(RunningMean() if window is None else CausalMeanPool(window))
        layers += [Linear(inner, head_size, bias=False), PerFrame(nn.ReLU())]
        super().__init__(*layers, Linear(head_size, class_count))
        self.class_count = class_count
        self.feature_size = inner


def _block(in_channels: int, inner: int, width: int, *, first: bool, excites: bool) -> Residual:
    """Widen, look at every channel's neighbourhood in space and time, and narrow again."""
    stride = 2 if first else 1
    squeezed = max(8, (inner // 16 + 7) // 8 * 8)
    gates = [PerFrame(SqueezeExcitation(inner, squeezed))] if excites else []
    layer = Serial(
        rectified(convolution(in_channels, inner, (1, 1, 1))),
        convolution(inner, inner, (3, 3, 3), spatial_stride=stride, groups=inner),
        BatchNorm(inner),
        *gates,
        PerFrame(nn.SiLU()),
        convolution(inner, width, (1, 1, 1)),
        BatchNorm(width),
    )
    if not first and in_channels == width:
        return Residual(layer)
    shortcut = convolution(in_channels, width, (1, 1, 1), spatial_stride=stride)
    return Residual(layer, Serial(shortcut, BatchNorm(width)))
