"""SqueezeNet 1.1: a small picture network of squeezed and expanded maps."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from unrolled.encoders._weights import check_sizes
from unrolled.encoders.picture import PictureNetwork, PooledPictures

# Squeeze and expand widths of fire2 to fire9; a pooling stands before those that are named.
_FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
_POOLED = (0, 2, 4)


class Fire(nn.Module):
    """Squeeze the maps by 1 x 1, then expand them by 1 x 1 and by 3 x 3, side by side.

    Shapes: x [N, C, H, W] float; y [N, 2 E, H, W].
    Args:
        in_channels: C, maps that come in.
        squeezed: maps in between.
        expanded: E, maps of each of the two branches.
    Source: Iandola et al. 2016, arXiv:1602.07360, section 3.2.
    Example:
        >>> Fire(7, 2, 3)(torch.zeros(1, 7, 4, 4)).shape
        torch.Size([1, 6, 4, 4])
    """

    def __init__(self, in_channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(in_channels, squeezed, kernel_size=1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, kernel_size=1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, kernel_size=3, padding=1)

    def forward(self, x: Float[Tensor, "N C *P"]) -> Float[Tensor, "N E2 *P"]:
        """Return ``[N, 2 E, H, W]``."""
        squeezed = self.squeeze(x).relu()
        return torch.cat([self.expand1x1(squeezed).relu(), self.expand3x3(squeezed).relu()], dim=1)


class SqueezeNet11(PictureNetwork):
    """SqueezeNet 1.1: a convolution, eight fire modules, and a convolution to the classes.

        maps = fire9(... pool(fire3(fire2(pool(ReLU(conv(x)))))))
        logits = mean of ReLU(conv10(dropout(maps))) over all places

    Keys and shapes of ``state_dict`` are torchvision's ``squeezenet1_1``.

    Shapes: x [..., 3, H, W] float; y [..., classes] logits; features [..., 512].
    Args:
        class_count: classes.
        dropout: of the maps before conv10.
        ceil_mode: let poolings begin a window that reaches over the edge, as torchvision does;
            sizes of 224 are the same without.
    Source: Iandola et al. 2016, arXiv:1602.07360, and the authors' release 1.1. Differs: ReLU
        after conv10, as there, so that no logit is negative; ``features`` leaves conv10 out.
    Example:
        >>> network = SqueezeNet11(class_count=5)
        >>> network(torch.zeros(2, 7, 3, 64, 64)).shape
        torch.Size([2, 7, 5])
    """

    smallest = 21
    head_parts = ("classifier",)
    features: PooledPictures

    def __init__(
        self, *, class_count: int = 1000, dropout: float = 0.5, ceil_mode: bool = True
    ) -> None:
        super().__init__()
        check_sizes(class_count=class_count)
        self.class_count, self.feature_size, self.input_channels = class_count, 512, 3
        layers: list[nn.Module] = [nn.Conv2d(3, 64, kernel_size=3, stride=2), nn.ReLU(inplace=True)]
        channels = 64
        for number, (squeezed, expanded) in enumerate(_FIRES):
            if number in _POOLED:
                layers.append(nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=ceil_mode))
            layers.append(Fire(channels, squeezed, expanded))
            channels = 2 * expanded
        self.features = PooledPictures(*layers, input_channels=3, smallest=self.smallest)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Conv2d(channels, class_count, kernel_size=1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
        )
        _initialise(self)

    def maps(self, x: Tensor) -> Tensor:
        """Return the maps of fire9 of pictures ``[N, C, H, W]``."""
        return self.features.maps(x)

    def head(self, maps: Tensor) -> Tensor:
        """Return logits ``[N, classes]``."""
        y: Tensor = self.classifier(maps)
        return y.flatten(-3)


def _initialise(network: SqueezeNet11) -> None:
    for part in network.modules():
        if isinstance(part, nn.Conv2d) and part.bias is not None:
            nn.init.kaiming_uniform_(part.weight)
            nn.init.zeros_(part.bias)
    nn.init.normal_(network.classifier[1].get_parameter("weight"), std=0.01)
