"""MobileNetV2: a picture network of inverted residuals, small enough for a live stream."""

from typing import Literal, TypeAlias

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.encoders._weights import check_sizes, initialise_he
from unrolled.encoders.picture import PictureNetwork, PooledPictures
from unrolled.errors import ConfigError

Edges: TypeAlias = Literal["centred", "same"]

# Expansion, output channels, blocks, and stride of the first of them: table 2 of the paper.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class SameConv2d(nn.Conv2d):
    """A 3 x 3 convolution that halves the size, with TensorFlow's padding "SAME".

    That pads as little as gives ceil(H / 2) rows, and the odd one below and to the right: of even
    sizes nothing above and to the left. It sees other places than padding by one on every side,
    so weights learnt with one are not good with the other.

    Shapes: x [N, C, H, W]; y [N, D, ceil(H / 2), ceil(W / 2)].
    Args:
        in_channels: C.
        out_channels: D.
        groups: parts that see only their own channels.
    Source: TensorFlow's ``tf.nn``, notes on padding.
    Example:
        >>> import torch
        >>> conv = SameConv2d(1, 1)
        >>> _ = nn.init.ones_(conv.weight)
        >>> conv(torch.ones(1, 1, 4, 4)).flatten().tolist()
        [9.0, 6.0, 6.0, 4.0]
    """

    def __init__(self, in_channels: int, out_channels: int, *, groups: int = 1) -> None:
        super().__init__(in_channels, out_channels, 3, stride=2, groups=groups, bias=False)

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D H2 W2"]:
        """Return ``[N, D, ...]``."""
        return super().forward(F.pad(x, (x.shape[-1] % 2, 1, x.shape[-2] % 2, 1)))


class InvertedResidual(nn.Module):
    """Expand by 1 x 1, filter each map by 3 x 3, project by 1 x 1; a shortcut if sizes agree.

        y = bn(project(ReLU6(bn(depthwise(ReLU6(bn(expand(x)))))))) [+ x]

    Shapes: x [N, C, H, W]; y [N, D, H / stride, W / stride].
    Args:
        in_channels: C.
        out_channels: D.
        stride: of the 3 x 3 convolution.
        expansion: how many times more maps there are in between.
        edges: see ``MobileNetV2``.
    Source: Sandler et al. 2018, arXiv:1801.04381, Fig. 4.
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, expansion: int, edges: Edges
    ) -> None:
        super().__init__()
        width = in_channels * expansion
        expand = [] if expansion == 1 else [_unit(in_channels, width, edges=edges)]
        self.conv = nn.Sequential(
            *expand,
            _unit(width, width, 3, stride=stride, groups=width, edges=edges),
            nn.Conv2d(width, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Float[Tensor, "N C *P"]) -> Float[Tensor, "N D *P2"]:
        """Return ``[N, D, ...]``."""
        y: Tensor = self.conv(x)
        return x + y if self.has_shortcut else y


class MobileNetV2(PictureNetwork):
    """MobileNetV2: a convolution, 17 inverted residuals, a wide 1 x 1, the mean, one linear layer.

        maps = ReLU6(bn(conv(blocks(ReLU6(bn(conv(x)))))))
        logits = W dropout(mean of maps over all places) + b

    Keys and shapes of ``state_dict`` are torchvision's ``mobilenet_v2``.

    Shapes: x [..., 3, H, W] float; y [..., classes] logits; features [..., 1280].
    Args:
        class_count: classes.
        dropout: of the features before the classes.
        edges: "centred", the padding of torchvision's weights, or "same", that of TensorFlow's.
    Raises:
        ConfigError: another word for ``edges``.
    Source: Sandler et al. 2018, arXiv:1801.04381, table 2, width 1.0. Differs: nothing.
    Example:
        >>> import torch
        >>> MobileNetV2(class_count=5)(torch.zeros(2, 7, 3, 32, 32)).shape
        torch.Size([2, 7, 5])
    """

    head_parts = ("classifier",)
    features: PooledPictures

    def __init__(
        self, *, class_count: int = 1000, dropout: float = 0.2, edges: Edges = "centred"
    ) -> None:
        super().__init__()
        check_sizes(class_count=class_count)
        if edges not in ("centred", "same"):
            raise ConfigError('edges "centred" or "same"', repr(edges))
        self.class_count, self.feature_size, self.input_channels = class_count, 1280, 3
        layers: list[nn.Module] = [_unit(3, 32, 3, stride=2, edges=edges)]
        channels = 32
        for expansion, width, blocks, first_stride in _STAGES:
            for number in range(blocks):
                stride = first_stride if number == 0 else 1
                layers.append(InvertedResidual(channels, width, stride, expansion, edges))
                channels = width
        layers.append(_unit(channels, self.feature_size, edges=edges))
        self.features = PooledPictures(*layers, input_channels=3, smallest=1)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(self.feature_size, class_count)
        )
        initialise_he(self)
        nn.init.normal_(self.classifier[1].get_parameter("weight"), std=0.01)
        nn.init.zeros_(self.classifier[1].get_parameter("bias"))

    def maps(self, x: Tensor) -> Tensor:
        """Return the last maps of pictures ``[N, C, H, W]``."""
        return self.features.maps(x)

    def head(self, maps: Tensor) -> Tensor:
        """Return logits ``[N, classes]``."""
        y: Tensor = self.classifier(maps.mean((-2, -1)))
        return y


def _unit(
    in_channels: int,
    out_channels: int,
    kernel_size: int = 1,
    *,
    stride: int = 1,
    groups: int = 1,
    edges: Edges,
) -> nn.Sequential:
    """Make a convolution, its normalisation and ReLU6, under the keys 0, 1 and 2."""
    conv: nn.Conv2d
    if edges == "same" and stride == 2:
        conv = SameConv2d(in_channels, out_channels, groups=groups)
    else:
        padding = kernel_size // 2
        conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False
        )
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels), nn.ReLU6(inplace=True))
