"""AlexNet, in one column."""

from jaxtyping import Float
from torch import Tensor, nn

from unrolled.encoders._weights import check_sizes, initialise_normal
from unrolled.encoders.picture import PictureNetwork, PooledPictures


class AlexNet(PictureNetwork):
    """Five convolutions, the first ones wide, then three fully connected layers.

        logits = classifier(avgpool(maps))          features = the mean of maps over all places

    Names of parts and shapes of weights are torchvision's, so that its weights fit. ``features``
    is a part: called, it gives features, and its layers are ``features[0]`` to ``features[12]``.

    Shapes: x [..., C, H, W] float; y [..., classes] logits; features [..., D], D = 4 width.
    Args:
        class_count: classes.
        width: channels of the first convolution.
        hidden_size: units of the two hidden fully connected layers.
        input_channels: C.
    Raises:
        ConfigError: a size below 1.
    Source: Krizhevsky, Sutskever & Hinton 2012, Fig. 2 and §5 (how weights start), in the single
        column of Krizhevsky 2014, arXiv:1404.5997, §5. Differs: no response normalisation, as in
        torchvision; pictures of other than 224x224 pixels are averaged to 6x6 places before the
        classifier.
    Example:
        >>> import torch
        >>> network = AlexNet(class_count=5, width=4, hidden_size=7).eval()
        >>> network(torch.zeros(2, 3, 64, 80)).shape, network.features(torch.zeros(3, 64, 80)).shape
        (torch.Size([2, 5]), torch.Size([16]))
    """

    features: PooledPictures
    head_parts = ("avgpool", "classifier")
    smallest = 63

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
        self.feature_size = 4 * width
        layers = _layers(input_channels, width)
        sizes = {"input_channels": input_channels, "smallest": self.smallest}
        self.features = PooledPictures(*layers, **sizes)
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(),
            nn.Linear(4 * width * 6 * 6, hidden_size),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(inplace=True),
            nn.Linear(hidden_size, class_count),
        )
        self._initialise()

    def _initialise(self) -> None:
        """Draw weights from N(0, 0.01²); some biases are 1, so that ReLUs begin with gradients."""
        initialise_normal(self, nn.Conv2d, 0.01)
        initialise_normal(self, nn.Linear, 0.01)
        later = (self.features[3], self.features[8], self.features[10])
        for layer in (*later, self.classifier[1], self.classifier[4]):
            nn.init.ones_(layer.get_parameter("bias"))

    def maps(self, x: Tensor) -> Tensor:
        """Return the last maps ``[N, D, H', W']`` of pictures ``[N, C, H, W]``."""
        return self.features.maps(x)

    def head(self, maps: Float[Tensor, "N D H W"]) -> Float[Tensor, "N V"]:
        """Return logits ``[N, classes]`` of the last maps ``[N, D, H', W']``."""
        logits: Tensor = self.classifier(self.avgpool(maps).flatten(1))
        return logits


def _layers(input_channels: int, width: int) -> list[nn.Module]:
    return [
        nn.Conv2d(input_channels, width, 11, stride=4, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(width, 3 * width, 5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(3 * width, 6 * width, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(6 * width, 4 * width, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(4 * width, 4 * width, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2),
    ]
