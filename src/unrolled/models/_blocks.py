"""What video networks are laid from: a convolution, its normalisation and its nonlinearity."""

from torch import nn

from unrolled.layers import BatchNorm, CausalConv3d, PerFrame, Serial


def convolution(
    in_channels: int,
    out_channels: int,
    kernel_size: tuple[int, int, int],
    *,
    spatial_stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
) -> CausalConv3d:
    """Return a causal convolution without a bias, which the normalisation behind it has."""
    return CausalConv3d(
        in_channels,
        out_channels,
        kernel_size=kernel_size,
        spatial_stride=spatial_stride,
        dilation=dilation,
        groups=groups,
        bias=False,
    )


def rectified(conv: CausalConv3d) -> Serial:
    """Return a convolution, batch normalisation and ReLU, in series."""
    return Serial(conv, BatchNorm(conv.out_channels), PerFrame(nn.ReLU()))


def space_pool() -> PerFrame:
    """Return the mean over the places of every frame: ``[B, T, C, H, W]`` to ``[B, T, C]``."""
    return PerFrame(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
