"""A small plain network over pictures."""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from unrolled.encoders._weights import check_sizes, initialise_he, initialise_normal
from unrolled.encoders.picture import PictureNetwork, over_pictures
from unrolled.errors import ConfigError


class PlainCNN(PictureNetwork):
    """A few 3x3 convolutions, each normalised, most halved by a pooling; trains on a CPU.

        maps = stages of maxpool(ReLU(bn(conv(x))))      channels double from stage to stage
        logits = fc(features)                            features = the mean of maps over places

    Shapes: x [..., C, H, W] float, H, W >= 2^pooled; y [..., classes] logits; features [..., D],
        D = 2^(depth - 1) width.
    Args:
        class_count: classes.
        width: channels of the first stage.
        depth: stages.
        pooled: of them, the first that are halved; None for all. The others see further at the same
            number of places.
        input_channels: C.
    Raises:
        ConfigError: a size below 1, or more stages pooled than there are.
    Source: none; the plan of Simonyan & Zisserman 2015, arXiv:1409.1556, with one convolution a
        stage and the batch normalisation of Ioffe & Szegedy 2015, arXiv:1502.03167.
    Example:
        >>> import torch
        >>> network = PlainCNN(class_count=5, width=4).eval()
        >>> network(torch.zeros(2, 7, 3, 64, 48)).shape, network.feature_size
        (torch.Size([2, 7, 5]), 32)
    """

    head_parts = ("fc",)

    def __init__(
        self,
        *,
        class_count: int = 10,
        width: int = 32,
        depth: int = 4,
        pooled: int | None = None,
        input_channels: int = 3,
    ) -> None:
        super().__init__()
        check_sizes(class_count=class_count, width=width, depth=depth)
        pooled = depth if pooled is None else pooled
        check_sizes(input_channels=input_channels, pooled=pooled)
        if pooled > depth:
            raise ConfigError(f"pooled of at most {depth}, the stages", str(pooled))
        self.class_count = class_count
        self.input_channels = input_channels
        self.smallest = 2**pooled
        channels = [input_channels, *(width * 2**level for level in range(depth))]
        self.feature_size = channels[-1]
        self.stages = nn.Sequential(
            *(_stage(*sizes, n < pooled) for n, sizes in enumerate(pairwise(channels)))
        )
        self.fc = nn.Linear(self.feature_size, class_count)
        initialise_he(self)
        initialise_normal(self, nn.Linear, 0.01)

    def maps(self, x: Tensor) -> Tensor:
        """Return the last maps ``[N, D, H', W']`` of pictures ``[N, C, H, W]``."""
        maps: Tensor = self.stages(x)
        return maps

    def features(self, x: Tensor) -> Tensor:
        """Return the mean ``[..., D]`` of the last maps over all places."""
        return over_pictures(lambda pictures: self.maps(pictures).mean((-2, -1)), x, self)

    def head(self, maps: Float[Tensor, "N D H W"]) -> Float[Tensor, "N V"]:
        """Return logits ``[N, classes]`` of the last maps ``[N, D, H', W']``."""
        logits: Tensor = self.fc(maps.mean((-2, -1)))
        return logits


def _stage(in_channels: int, out_channels: int, pooled: bool) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
        *([nn.MaxPool2d(2, stride=2)] if pooled else []),
    )
