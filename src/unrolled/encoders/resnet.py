"""Residual networks for pictures."""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.encoders._weights import check_sizes, initialise_he
from unrolled.encoders.picture import PictureNetwork, over_pictures


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut.

        y = ReLU(downsample(x) + bn2(conv2(ReLU(bn1(conv1(x))))))

    Shapes: x [N, C, H, W]; y [N, D, H / stride, W / stride].
    Args:
        in_channels: C.
        width: D.
        stride: of the first convolution and of the shortcut.
    Source: He et al. 2016, arXiv:1512.03385, Fig. 5 left; shortcut B.
    """

    expansion: ClassVar[int] = 1

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(in_channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[N, D, ...]``."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y = y + (x if self.downsample is None else self.downsample(x))
        return F.relu(y, inplace=True)


class Bottleneck(nn.Module):
    """A 1x1, a 3x3 and a 1x1 convolution beside a shortcut; the middle is four times narrower.

        y = ReLU(downsample(x) + bn3(conv3(ReLU(bn2(conv2(ReLU(bn1(conv1(x)))))))))

    Shapes: x [N, C, H, W]; y [N, 4 D, H / stride, W / stride].
    Args:
        in_channels: C.
        width: D.
        stride: of the 3x3 convolution and of the shortcut.
    Source: He et al. 2016, arXiv:1512.03385, Fig. 5 right; shortcut B. Differs: the 3x3 convolution
        has the stride, not the first one, as in torchvision.
    """

    expansion: ClassVar[int] = 4

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(in_channels, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[N, 4 D, ...]``."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        y = y + (x if self.downsample is None else self.downsample(x))
        return F.relu(y, inplace=True)


class ResNet(PictureNetwork):
    """A residual network: a stem, four stages of blocks beside shortcuts, a mean over all places.

        maps = layer4(layer3(layer2(layer1(maxpool(ReLU(bn1(conv1(x))))))))
        logits = fc(features)               features = the mean of maps over all places

    Names of parts and shapes of weights are torchvision's, so that its weights fit.

    Shapes: x [..., C, H, W] float; y [..., classes] logits; features [..., D].
    Args:
        block: ``BasicBlock`` or ``Bottleneck``.
        depths: blocks in each of the four stages.
        class_count: classes.
        width: channels of the first stage, doubled with every stage after it.
        input_channels: C.
    Raises:
        ConfigError: a size below 1.
    Source: He et al. 2016, arXiv:1512.03385, Table 1; convolutions start as in He et al. 2015,
        arXiv:1502.01852.
    """

    head_parts = ("fc",)

    def __init__(
        self,
        block: type[BasicBlock | Bottleneck],
        depths: tuple[int, int, int, int],
        *,
        class_count: int = 1000,
        width: int = 64,
        input_channels: int = 3,
    ) -> None:
        super().__init__()
        check_sizes(class_count=class_count, width=width, input_channels=input_channels)
        self.class_count = class_count
        self.input_channels = input_channels
        self.feature_size = 8 * width * block.expansion
        self.conv1 = nn.Conv2d(input_channels, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        widths = [width, 2 * width, 4 * width, 8 * width]
        arriving = [width, *(w * block.expansion for w in widths)]
        self.layer1 = _stage(block, arriving[0], widths[0], depths[0], stride=1)
        self.layer2 = _stage(block, arriving[1], widths[1], depths[1], stride=2)
        self.layer3 = _stage(block, arriving[2], widths[2], depths[2], stride=2)
        self.layer4 = _stage(block, arriving[3], widths[3], depths[3], stride=2)
        self.fc = nn.Linear(self.feature_size, class_count)
        initialise_he(self)

    def maps(self, x: Tensor) -> Tensor:
        """Return the last maps ``[N, D, H', W']`` of pictures ``[N, C, H, W]``."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return x

    def features(self, x: Tensor) -> Tensor:
        """Return the mean ``[..., D]`` of the last maps over all places."""
        return over_pictures(lambda pictures: self.maps(pictures).mean((-2, -1)), x, self)

    def head(self, maps: Float[Tensor, "N D H W"]) -> Float[Tensor, "N V"]:
        """Return logits ``[N, classes]`` of the last maps ``[N, D, H', W']``."""
        logits: Tensor = self.fc(maps.mean((-2, -1)))
        return logits


class ResNet18(ResNet):
    """The residual network of 18 layers: two blocks of two 3x3 convolutions in each stage.

    Shapes: x [..., C, H, W] float; y [..., classes] logits; features [..., D], D = 8 width.
    Args:
        class_count: classes.
        width: channels of the first stage.
        input_channels: C.
    Raises:
        ConfigError: a size below 1.
    Source: He et al. 2016, arXiv:1512.03385, Table 1, 18-layer; see ``ResNet``.
    Example:
        >>> import torch
        >>> network = ResNet18(class_count=5, width=4).eval()
        >>> network(torch.zeros(2, 7, 3, 64, 48)).shape, network.feature_size
        (torch.Size([2, 7, 5]), 32)
    """

    def __init__(
        self, *, class_count: int = 1000, width: int = 64, input_channels: int = 3
    ) -> None:
        sizes = {"class_count": class_count, "width": width, "input_channels": input_channels}
        super().__init__(BasicBlock, (2, 2, 2, 2), **sizes)


class ResNet34(ResNet):
    """The residual network of 34 layers: 3, 4, 6 and 3 blocks of two 3x3 convolutions.

    Shapes: x [..., C, H, W] float; y [..., classes] logits; features [..., D], D = 8 width.
    Args:
        class_count: classes.
        width: channels of the first stage.
        input_channels: C.
    Raises:
        ConfigError: a size below 1.
    Source: He et al. 2016, arXiv:1512.03385, Table 1, 34-layer; see ``ResNet``.
    Example:
        >>> import torch
        >>> ResNet34(class_count=5, width=4).eval()(torch.zeros(2, 3, 64, 48)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self, *, class_count: int = 1000, width: int = 64, input_channels: int = 3
    ) -> None:
        sizes = {"class_count": class_count, "width": width, "input_channels": input_channels}
        super().__init__(BasicBlock, (3, 4, 6, 3), **sizes)


class ResNet50(ResNet):
    """The residual network of 50 layers: 3, 4, 6 and 3 blocks with a narrow middle.

    Shapes: x [..., C, H, W] float; y [..., classes] logits; features [..., D], D = 32 width.
    Args:
        class_count: classes.
        width: channels in the middle of the first stage's blocks.
        input_channels: C.
    Raises:
        ConfigError: a size below 1.
    Source: He et al. 2016, arXiv:1512.03385, Table 1, 50-layer; see ``ResNet`` and ``Bottleneck``.
    Example:
        >>> import torch
        >>> ResNet50(class_count=5, width=4).eval()(torch.zeros(2, 3, 64, 48)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self, *, class_count: int = 1000, width: int = 64, input_channels: int = 3
    ) -> None:
        sizes = {"class_count": class_count, "width": width, "input_channels": input_channels}
        super().__init__(Bottleneck, (3, 4, 6, 3), **sizes)


def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and in_channels == out_channels:
        return None
    conv = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels))


def _stage(
    block: type[BasicBlock | Bottleneck], in_channels: int, width: int, depth: int, stride: int
) -> nn.Sequential:
    rest = [block(width * block.expansion, width, 1) for _ in range(depth - 1)]
    return nn.Sequential(block(in_channels, width, stride), *rest)
