"""The VGG network of 16 layers."""

from jaxtyping import Float
from torch import Tensor, nn

from unrolled.encoders._weights import check_sizes, initialise_he, initialise_normal
from unrolled.encoders.picture import PictureNetwork, PooledPictures

# Convolutions in each stage; the second number times the width are their channels.
_STAGES = ((2, 1), (2, 2), (3, 4), (3, 8), (3, 8))


class VGG16(PictureNetwork):
    """Thirteen 3x3 convolutions in five stages, then three fully connected layers.

        logits = classifier(avgpool(maps))          features = the mean of maps over all places

    Names of parts and shapes of weights are torchvision's, so that its weights fit. ``features``
    is a part: called, it gives features, and its layers are ``features[0]`` to ``features[30]``.
    The activations known as fc7 are ``classifier[:-1]`` of ``avgpool(maps).flatten(1)``.

    Shapes: x [..., C, H, W] float; y [..., classes] logits; features [..., D], D = 8 width.
    Args:
        class_count: classes.
        width: channels of the first stage.
        hidden_size: units of the two hidden fully connected layers.
        input_channels: C.
    Raises:
        ConfigError: a size below 1.
    Source: Simonyan & Zisserman 2015, arXiv:1409.1556, Table 1, D. Differs: pictures of other than
        224x224 pixels are averaged to 7x7 places before the classifier, as in torchvision;
        convolutions start as in He et al. 2015, arXiv:1502.01852, so that no shallower network has
        to be trained first.
    Example:
        >>> import torch
        >>> network = VGG16(class_count=5, width=4, hidden_size=7).eval()
        >>> network(torch.zeros(2, 3, 64, 48)).shape, network.features(torch.zeros(3, 64, 48)).shape
        (torch.Size([2, 5]), torch.Size([32]))
    """

    features: PooledPictures
    head_parts = ("avgpool", "classifier")
    smallest = 32

    def __init__(
        self,
        *,
        class_count: int = 1000,
        width: int = 64,
        hidden_size: int = 4096,
        input_channels: int = 3,
    ) -> None:
        super().__init__()
        check_sizes(class_count=class_count, width=width, hidden_size=hidden_size)
        check_sizes(input_channels=input_channels)
        self.class_count = class_count
        self.input_channels = input_channels
        self.feature_size = 8 * width
        layers = _layers(input_channels, width)
        sizes = {"input_channels": input_channels, "smallest": self.smallest}
        self.features = PooledPictures(*layers, **sizes)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(8 * width * 7 * 7, hidden_size),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(hidden_size, class_count),
        )
        initialise_he(self)
        initialise_normal(self, nn.Linear, 0.01)

    def maps(self, x: Tensor) -> Tensor:
        """Return the last maps ``[N, D, H', W']`` of pictures ``[N, C, H, W]``."""
        return self.features.maps(x)

    def head(self, maps: Float[Tensor, "N D H W"]) -> Float[Tensor, "N V"]:
        """Return logits ``[N, classes]`` of the last maps ``[N, D, H', W']``."""
        logits: Tensor = self.classifier(self.avgpool(maps).flatten(1))
        return logits


def _layers(input_channels: int, width: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    channels = input_channels
    for depth, multiple in _STAGES:
        for _ in range(depth):
            conv = nn.Conv2d(channels, multiple * width, 3, padding=1)
            layers += [conv, nn.ReLU(inplace=True)]
            channels = multiple * width
        layers.append(nn.MaxPool2d(2, stride=2))
    return layers
