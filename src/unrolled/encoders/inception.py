"""Inception-v1 with batch normalisation."""

from collections import OrderedDict

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.encoders._inception import Widths, scaled
from unrolled.encoders._weights import check_sizes, initialise_he, initialise_normal
from unrolled.encoders.picture import PictureNetwork, over_pictures


class PadSame(nn.Module):
    """Zeros around maps so that a window of any stride gives size / stride, upwards.

    Where the padding is odd, bottom and right get the larger half.

    Shapes: x [..., H, W]; y [..., H + h, W + w].
    Args:
        kernel_size: of the layer behind it, in height and width.
        stride: likewise.
    """

    def __init__(self, kernel_size: int, stride: int) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Return the padded maps."""
        padding: list[int] = []
        for size in (x.shape[-1], x.shape[-2]):
            total = (-(-size // self.stride) - 1) * self.stride + self.kernel_size - size
            padding += [max(0, total) // 2, max(0, total) - max(0, total) // 2]
        return F.pad(x, padding)


class Mixed(nn.Module):
    """Four branches side by side: 1x1; 1x1 and 3x3; again; a pooling and 1x1.

    Shapes: x [N, C, H, W]; y [N, D, H, W], D the sum of the four.
    Args:
        in_channels: C.
        widths: of its convolutions.
    """

    def __init__(self, in_channels: int, widths: Widths) -> None:
        super().__init__()
        self.point = unit(in_channels, widths.point, 1)
        self.three = nn.Sequential(
            unit(in_channels, widths.reduce_3, 1), unit(widths.reduce_3, widths.three, 3)
        )
        self.five = nn.Sequential(
            unit(in_channels, widths.reduce_5, 1), unit(widths.reduce_5, widths.five, 3)
        )
        self.pooled = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), unit(in_channels, widths.pooled, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the branches, side by side in channels."""
        return torch.cat([self.point(x), self.three(x), self.five(x), self.pooled(x)], dim=1)


class InceptionV1(PictureNetwork):
    """GoogLeNet with batch normalisation: nine modules of four branches, the 2D parent of ``I3D``.

        logits = fc(dropout(features))          features = the mean of maps over all places

    Shapes: x [..., C, H, W] float; y [..., classes] logits; features [..., D], D = 16 width.
    Args:
        class_count: classes.
        width: channels of the first convolution; all others follow.
        input_channels: C.
        dropout: share of the features that training drops.
    Raises:
        ConfigError: a size below 1.
    Source: Szegedy et al. 2015, arXiv:1409.4842, Table 1; batch normalisation: Ioffe & Szegedy
        2015, arXiv:1502.03167. Differs: 3x3 for the 5x5 convolutions and no auxiliary classifiers,
        as in the parent of Carreira & Zisserman's I3D; no response normalisation.
    Example:
        >>> network = InceptionV1(class_count=5, width=8).eval()
        >>> network(torch.zeros(2, 3, 64, 48)).shape, network.feature_size
        (torch.Size([2, 5]), 128)
    """

    head_parts = ("dropout", "fc")

    def __init__(
        self,
        *,
        class_count: int = 1000,
        width: int = 64,
        input_channels: int = 3,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_sizes(class_count=class_count, width=width, input_channels=input_channels)
        self.class_count = class_count
        self.input_channels = input_channels
        self.feature_size = scaled(width)["5c"].total
        self.layers = nn.Sequential(_layers(input_channels, width))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(self.feature_size, class_count)
        initialise_he(self)
        initialise_normal(self, nn.Linear, 0.01)

    def maps(self, x: Tensor) -> Tensor:
        """Return the last maps ``[N, D, H', W']`` of pictures ``[N, C, H, W]``."""
        maps: Tensor = self.layers(x)
        return maps

    def features(self, x: Tensor) -> Tensor:
        """Return the mean ``[..., D]`` of the last maps over all places."""
        return over_pictures(lambda pictures: self.maps(pictures).mean((-2, -1)), x, self)

    def head(self, maps: Float[Tensor, "N D H W"]) -> Float[Tensor, "N V"]:
        """Return logits ``[N, classes]`` of the last maps ``[N, D, H', W']``."""
        logits: Tensor = self.fc(self.dropout(maps.mean((-2, -1))))
        return logits


def unit(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution that keeps H and W but for its stride, normalised, and a ReLU."""
    padding = kernel_size // 2 if stride == 1 else 0
    pads = [] if stride == 1 else [PadSame(kernel_size, stride)]
    return nn.Sequential(
        *pads,
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=False),
        nn.BatchNorm2d(out_channels, eps=1e-3, momentum=0.01),
        nn.ReLU(inplace=True),
    )


def _pool(kernel_size: int) -> nn.Sequential:
    return nn.Sequential(PadSame(kernel_size, 2), nn.MaxPool2d(kernel_size, stride=2))


def _layers(input_channels: int, width: int) -> OrderedDict[str, nn.Module]:
    table = scaled(width)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv_1a=unit(input_channels, width, 7, stride=2),
        pool_2a=_pool(3),
        conv_2b=unit(width, width, 1),
        conv_2c=unit(width, 3 * width, 3),
        pool_3a=_pool(3),
    )
    channels = 3 * width
    for name, widths in table.items():
        if name == "4b":
            layers["pool_4a"] = _pool(3)
        if name == "5b":
            layers["pool_5a"] = _pool(2)
        layers[f"mixed_{name}"] = Mixed(channels, widths)
        channels = widths.total
    return layers
