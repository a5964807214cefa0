"""S3D: Inception-v1 over clips, every convolution split into space and time."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.encoders._inception import Widths, scaled
from unrolled.encoders._weights import check_sizes, initialise_he
from unrolled.encoders.clip import ClipNetwork, channels_first


class SeparableMixed(nn.Module):
    """Four branches side by side; the 3x3x3 convolutions are split into space and time.

    Shapes: x [B, C, T, H, W]; y [B, D, T, H, W], D the sum of the four.
    Args:
        in_channels: C.
        widths: of its convolutions.
    """

    def __init__(self, in_channels: int, widths: Widths) -> None:
        super().__init__()
        self.branch0 = _point(in_channels, widths.point)
        self.branch1 = nn.Sequential(
            _point(in_channels, widths.reduce_3), _separable(widths.reduce_3, widths.three, 3)
        )
        self.branch2 = nn.Sequential(
            _point(in_channels, widths.reduce_5), _separable(widths.reduce_5, widths.five, 3)
        )
        pool = nn.MaxPool3d(3, stride=1, padding=1)
        self.branch3 = nn.Sequential(pool, _point(in_channels, widths.pooled))

    def forward(self, x: Tensor) -> Tensor:
        """Return the branches, side by side in channels."""
        branches = (self.branch0, self.branch1, self.branch2, self.branch3)
        return torch.cat([branch(x) for branch in branches], dim=1)


class PooledClips(nn.Sequential):
    """Layers that make maps of clips; called, they give the mean of all windows of 2 x 7 x 7.

    Maps smaller than a window count as one. Frames at either end lie in fewer windows than others,
    and count less.

    Shapes: x [B, T, C, H, W] float; y [B, D].
    """

    input_channels: int
    smallest = 17
    fewest_frames = 5

    def forward(self, x: Tensor) -> Tensor:
        """Return features ``[B, D]`` of clips ``[B, T, C, H, W]``."""
        maps = channels_first(x, self)
        for layer in self:
            maps = layer(maps)
        window = [min(size, most) for size, most in zip(maps.shape[2:], (2, 7, 7), strict=True)]
        return F.avg_pool3d(maps, window, stride=1).mean((2, 3, 4))


class S3D(ClipNetwork):
    """Inception-v1 over clips with separable convolutions: fewer products, fewer parameters.

        logits = classifier(features(x))

    Names of parts and shapes of weights are torchvision's, so that its weights fit. ``features``
    is a part: called, it gives features, and its layers are ``features[0]`` to ``features[15]``.
    It sees all frames at once, so it cannot run frame by frame.

    Shapes: x [B, T, C, H, W] float, T >= 5, H, W >= 17; y [B, classes] logits; features [B, D],
        D = 16 width.
    Args:
        class_count: classes.
        width: channels of the first convolution; all others follow.
        input_channels: C.
        dropout: share of the features that training drops.
    Raises:
        ConfigError: a size below 1.
    Source: Xie et al. 2018, arXiv:1712.04851, §4. Differs: no gating (that is S3D-G); maps smaller
        than 7x7 places are pooled whole; convolutions start as in He et al. 2015, arXiv:1502.01852.
    Example:
        >>> S3D(class_count=5, width=4).eval()(torch.zeros(2, 7, 3, 32, 48)).shape
        torch.Size([2, 5])
    """

    features: PooledClips
    smallest = PooledClips.smallest
    fewest_frames = PooledClips.fewest_frames

    def __init__(
        self,
        *,
        class_count: int = 400,
        width: int = 64,
        input_channels: int = 3,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        check_sizes(class_count=class_count, width=width, input_channels=input_channels)
        self.class_count = class_count
        self.input_channels = input_channels
        self.feature_size = scaled(width)["5c"].total
        layers = PooledClips(*_layers(input_channels, width))
        layers.input_channels = input_channels
        self.features = layers
        last = nn.Conv3d(self.feature_size, class_count, kernel_size=1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), last)
        initialise_he(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[B, classes]`` of clips ``[B, T, C, H, W]``."""
        logits: Tensor = self.classifier(self.features(x)[:, :, None, None, None])
        return logits.flatten(1)


def _layers(input_channels: int, width: int) -> list[nn.Module]:
    layers: list[nn.Module] = [
        _separable(input_channels, width, 7, stride=2),
        nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        _point(width, width),
        _separable(width, 3 * width, 3),
        nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
    ]
    channels = 3 * width
    for name, widths in scaled(width).items():
        if name == "4b":
            layers.append(nn.MaxPool3d(3, stride=2, padding=1))
        if name == "5b":
            layers.append(nn.MaxPool3d(2, stride=2))
        layers.append(SeparableMixed(channels, widths))
        channels = widths.total
    return layers


def _separable(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> nn.Sequential:
    half = kernel // 2
    across = (1, kernel, kernel), (1, stride, stride), (0, half, half)
    along = (kernel, 1, 1), (stride, 1, 1), (half, 0, 0)
    spatial = nn.Conv3d(in_channels, out_channels, *across, bias=False)
    temporal = nn.Conv3d(out_channels, out_channels, *along, bias=False)
    return nn.Sequential(_normalised(spatial), _normalised(temporal))


def _point(in_channels: int, out_channels: int) -> nn.Sequential:
    return _normalised(nn.Conv3d(in_channels, out_channels, kernel_size=1, bias=False))


def _normalised(conv: nn.Conv3d) -> nn.Sequential:
    norm = nn.BatchNorm3d(conv.out_channels, eps=1e-3, momentum=1e-3)
    return nn.Sequential(conv, norm, nn.ReLU(inplace=True))
