"""Residual networks for clips: R3D, MC3 and R(2+1)D, of 18 layers."""

from typing import TypeAlias

from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.encoders._weights import check_sizes, initialise_he, initialise_normal
from unrolled.encoders.clip import ClipNetwork, channels_first


class FullConv3d(nn.Conv3d):
    """A 3x3x3 convolution.

    Shapes: x [B, C, T, H, W]; y [B, D, T / stride, H / stride, W / stride].
    """

    def __init__(self, in_channels: int, out_channels: int, _middle: int, stride: int) -> None:
        super().__init__(in_channels, out_channels, 3, stride, padding=1, bias=False)

    @staticmethod
    def strides(stride: int) -> tuple[int, int, int]:
        """Return the strides in time, height and width."""
        return stride, stride, stride


class SpatialConv3d(nn.Conv3d):
    """A 1x3x3 convolution, of every frame by itself.

    Shapes: x [B, C, T, H, W]; y [B, D, T, H / stride, W / stride].
    """

    def __init__(self, in_channels: int, out_channels: int, _middle: int, stride: int) -> None:
        strides = self.strides(stride)
        padding = (0, 1, 1)
        super().__init__(in_channels, out_channels, (1, 3, 3), strides, padding, bias=False)

    @staticmethod
    def strides(stride: int) -> tuple[int, int, int]:
        """Return the strides in time, height and width."""
        return 1, stride, stride


class Conv2Plus1D(nn.Sequential):
    """A 1x3x3 convolution of every frame, then one of 3 taps in time, a ReLU between them.

        y = temporal(ReLU(bn(spatial(x))))

    Shapes: x [B, C, T, H, W]; y [B, D, T / stride, H / stride, W / stride].
    """

    def __init__(self, in_channels: int, out_channels: int, middle: int, stride: int) -> None:
        across, along = (1, stride, stride), (stride, 1, 1)
        super().__init__(
            nn.Conv3d(in_channels, middle, (1, 3, 3), across, (0, 1, 1), bias=False),
            nn.BatchNorm3d(middle),
            nn.ReLU(inplace=True),
            nn.Conv3d(middle, out_channels, (3, 1, 1), along, (1, 0, 0), bias=False),
        )

    @staticmethod
    def strides(stride: int) -> tuple[int, int, int]:
        """Return the strides in time, height and width."""
        return stride, stride, stride


Kind: TypeAlias = type[FullConv3d] | type[SpatialConv3d] | type[Conv2Plus1D]


class VideoBlock(nn.Module):
    """Two convolutions beside a shortcut.

        y = ReLU(downsample(x) + conv2(conv1(x)))       conv1 = ReLU(bn(...)), conv2 = bn(...)

    Shapes: x [B, C, T, H, W]; y [B, D, T', H / stride, W / stride].
    Args:
        kind: of its convolutions.
        in_channels: C.
        width: D.
        stride: of the first convolution and of the shortcut.
    Source: Tran et al. 2018, arXiv:1711.11248, §3; the middle channels of (2+1)D are §3.5's, as
        many as give a 3x3x3 convolution's parameters. Differs: the block's second convolution has
        the middle of its first, as in torchvision.
    """

    def __init__(self, kind: Kind, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        middle = in_channels * width * 27 // (in_channels * 9 + 3 * width)
        self.conv1 = nn.Sequential(
            kind(in_channels, width, middle, stride), nn.BatchNorm3d(width), nn.ReLU(inplace=True)
        )
        self.conv2 = nn.Sequential(kind(width, width, middle, 1), nn.BatchNorm3d(width))
        self.downsample = None
        if stride > 1 or in_channels != width:
            shortcut = nn.Conv3d(in_channels, width, 1, kind.strides(stride), bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm3d(width))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[B, D, ...]``."""
        y = self.conv2(self.conv1(x))
        y = y + (x if self.downsample is None else self.downsample(x))
        return F.relu(y, inplace=True)


class VideoResNet(ClipNetwork):
    """A residual network over whole clips: a stem, four stages of two blocks, a mean.

        features = the mean of layer4(layer3(layer2(layer1(stem(x))))) over time and places
        logits = fc(features)

    Names of parts and shapes of weights are torchvision's, so that its weights fit. It sees all
    frames at once, so it cannot run frame by frame.

    Shapes: x [B, T, C, H, W] float; y [B, classes] logits; features [B, D], D = 8 width.
    Args:
        stem: its first layers, from C to ``width`` channels.
        kinds: the convolutions of each of the four stages.
        class_count: classes.
        width: channels of the first stage, doubled with every stage after it.
        input_channels: C.
    Raises:
        ConfigError: a size below 1.
    Source: Tran et al. 2018, arXiv:1711.11248, Table 1.
    """

    def __init__(
        self,
        stem: nn.Sequential,
        kinds: tuple[Kind, Kind, Kind, Kind],
        *,
        class_count: int,
        width: int,
        input_channels: int,
    ) -> None:
        super().__init__()
        self.class_count = class_count
        self.input_channels = input_channels
        self.feature_size = 8 * width
        self.stem = stem
        self.layer1 = _stage(kinds[0], width, width, stride=1)
        self.layer2 = _stage(kinds[1], width, 2 * width, stride=2)
        self.layer3 = _stage(kinds[2], 2 * width, 4 * width, stride=2)
        self.layer4 = _stage(kinds[3], 4 * width, 8 * width, stride=2)
        self.fc = nn.Linear(8 * width, class_count)
        initialise_he(self)
        initialise_normal(self, nn.Linear, 0.01)

    def features(self, x: Tensor) -> Tensor:
        """Return the mean ``[B, D]`` of the last maps over time and places."""
        maps: Tensor = self.stem(channels_first(x, self))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps = stage(maps)
        return maps.mean((2, 3, 4))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[B, classes]`` of clips ``[B, T, C, H, W]``."""
        logits: Tensor = self.fc(self.features(x))
        return logits


class R3D(VideoResNet):
    """The residual network of 18 layers over clips, every convolution 3x3x3.

    It sees all frames at once, so it cannot run frame by frame.

    Shapes: x [B, T, C, H, W] float; y [B, classes] logits; features [B, D], D = 8 width.
    Args:
        class_count: classes.
        width: channels of the first stage.
        input_channels: C.
    Raises:
        ConfigError: a size below 1.
    Source: Tran et al. 2018, arXiv:1711.11248, Table 1, R3D-18; see ``VideoResNet``.
    Example:
        >>> import torch
        >>> R3D(class_count=5, width=4).eval()(torch.zeros(2, 7, 3, 32, 24)).shape
        torch.Size([2, 5])
    """

    def __init__(self, *, class_count: int = 400, width: int = 64, input_channels: int = 3) -> None:
        sizes = _checked(class_count, width, input_channels)
        kinds = (FullConv3d, FullConv3d, FullConv3d, FullConv3d)
        super().__init__(_stem(input_channels, width), kinds, **sizes)


class MC3(VideoResNet):
    """The residual network of 18 layers over clips that looks along time in its first stage only.

    It sees all frames at once, so it cannot run frame by frame.

    Shapes: x [B, T, C, H, W] float; y [B, classes] logits; features [B, D], D = 8 width.
    Args:
        class_count: classes.
        width: channels of the first stage.
        input_channels: C.
    Raises:
        ConfigError: a size below 1.
    Source: Tran et al. 2018, arXiv:1711.11248, MC3-18; see ``VideoResNet``.
    Example:
        >>> import torch
        >>> MC3(class_count=5, width=4).eval()(torch.zeros(2, 7, 3, 32, 24)).shape
        torch.Size([2, 5])
    """

    def __init__(self, *, class_count: int = 400, width: int = 64, input_channels: int = 3) -> None:
        sizes = _checked(class_count, width, input_channels)
        kinds = (FullConv3d, SpatialConv3d, SpatialConv3d, SpatialConv3d)
        super().__init__(_stem(input_channels, width), kinds, **sizes)


class R2Plus1D(VideoResNet):
    """The residual network of 18 layers over clips, every convolution split into space and time.

    It sees all frames at once, so it cannot run frame by frame.

    Shapes: x [B, T, C, H, W] float; y [B, classes] logits; features [B, D], D = 8 width.
    Args:
        class_count: classes.
        width: channels of the first stage.
        input_channels: C.
    Raises:
        ConfigError: a size below 1.
    Source: Tran et al. 2018, arXiv:1711.11248, §3.5, R(2+1)D-18; see ``VideoResNet`` and
        ``VideoBlock``. Differs: the stem has 45 channels in its middle, as in torchvision.
    Example:
        >>> import torch
        >>> R2Plus1D(class_count=5, width=4).eval()(torch.zeros(2, 7, 3, 32, 24)).shape
        torch.Size([2, 5])
    """

    def __init__(self, *, class_count: int = 400, width: int = 64, input_channels: int = 3) -> None:
        sizes = _checked(class_count, width, input_channels)
        kinds = (Conv2Plus1D, Conv2Plus1D, Conv2Plus1D, Conv2Plus1D)
        middle = max(1, 45 * width // 64)
        stem = nn.Sequential(
            nn.Conv3d(input_channels, middle, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
            nn.BatchNorm3d(middle),
            nn.ReLU(inplace=True),
            nn.Conv3d(middle, width, (3, 1, 1), 1, (1, 0, 0), bias=False),
            nn.BatchNorm3d(width),
            nn.ReLU(inplace=True),
        )
        super().__init__(stem, kinds, **sizes)


def _checked(class_count: int, width: int, input_channels: int) -> dict[str, int]:
    sizes = {"class_count": class_count, "width": width, "input_channels": input_channels}
    check_sizes(**sizes)
    return sizes


def _stem(input_channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(input_channels, width, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False),
        nn.BatchNorm3d(width),
        nn.ReLU(inplace=True),
    )


def _stage(kind: Kind, in_channels: int, width: int, stride: int) -> nn.Sequential:
    first = VideoBlock(kind, in_channels, width, stride)
    return nn.Sequential(first, VideoBlock(kind, width, width, 1))
