"""The lecture decks' example: three small networks that meet time late, early and slowly.

layer                  late                early               slow (3D)
input                  3 x 20 x 64 x 64    60 x 64 x 64        3 x 20 x 64 x 64
conv1, 3 to 12         12 x 20 x 64 x 64   12 x 64 x 64        12 x 20 x 64 x 64
pool, by 4             12 x 20 x 16 x 16   12 x 16 x 16        12 x 5 x 16 x 16
conv2, 12 to 24        24 x 20 x 16 x 16   24 x 16 x 16        24 x 5 x 16 x 16
mean over all places   24                  24                  24
"""

from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.encoders._weights import check_sizes, initialise_he
from unrolled.encoders.clip import ClipNetwork, channels_first
from unrolled.errors import ShapeError

_CHANNELS, _FEATURES = 12, 24


class _DeckNetwork(ClipNetwork):
    """Two convolutions with a pooling between them, and classes where they are wanted."""

    smallest = 4

    def __init__(
        self,
        conv1: nn.Module,
        pool: nn.Module,
        conv2: nn.Module,
        class_count: int | None,
        input_channels: int,
    ) -> None:
        super().__init__()
        self.class_count = _FEATURES if class_count is None else class_count
        check_sizes(class_count=self.class_count, input_channels=input_channels)
        self.feature_size = _FEATURES
        self.input_channels = input_channels
        self.conv1, self.pool, self.conv2 = conv1, pool, conv2
        self.fc = nn.Identity() if class_count is None else nn.Linear(_FEATURES, class_count)
        initialise_he(self)

    def maps(self, x: Tensor) -> Tensor:
        """Return the last maps of pictures ``[N, C, H, W]`` or of clips ``[B, C, T, H, W]``."""
        maps: Tensor = self.conv2(self.pool(F.relu(self.conv1(x))))
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[B, classes]`` of clips ``[B, T, C, H, W]``."""
        logits: Tensor = self.fc(self.features(x))
        return logits


class DeckLateFusion(_DeckNetwork):
    """The decks' small example of late fusion: time is met where the mean is taken.

        features = the mean of conv2(pool(ReLU(conv1(x_t)))) over time and places

    Shapes: x [B, T, C, H, W] float; y [B, classes], or [B, 24] without classes.
    Args:
        class_count: classes of a last fully connected layer; None leaves it out, as the table does.
        input_channels: C.
    Raises:
        ConfigError: a size below 1.
    Source: the lecture decks' table of early fusion, late fusion and 3D CNN; 2,952 parameters.
    Example:
        >>> import torch
        >>> DeckLateFusion(class_count=5)(torch.zeros(2, 20, 3, 64, 64)).shape
        torch.Size([2, 5])
    """

    def __init__(self, *, class_count: int | None = None, input_channels: int = 3) -> None:
        conv1 = nn.Conv2d(input_channels, _CHANNELS, 3, padding=1)
        conv2 = nn.Conv2d(_CHANNELS, _FEATURES, 3, padding=1)
        super().__init__(conv1, nn.MaxPool2d(4), conv2, class_count, input_channels)

    def features(self, x: Tensor) -> Tensor:
        """Return the features ``[B, 24]`` of clips ``[B, T, C, H, W]``."""
        channels_first(x, self)
        maps: Tensor = self.maps(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        return maps.mean((1, 3, 4))


class DeckEarlyFusion(_DeckNetwork):
    """The decks' small example of early fusion: time is gone behind the first convolution.

        features = the mean of conv2(pool(ReLU(conv1(x_1 ... x_T)))) over places

    Shapes: x [B, T, C, H, W] float, T = ``clip_frames``; y [B, classes], or [B, 24] without
        classes.
    Args:
        class_count: classes of a last fully connected layer; None leaves it out, as the table does.
        clip_frames: T.
        input_channels: C.
    Raises:
        ConfigError: a size below 1.
        ShapeError: clips of other than ``clip_frames`` frames.
    Source: the lecture decks' table of early fusion, late fusion and 3D CNN; 9,108 parameters.
    Example:
        >>> import torch
        >>> DeckEarlyFusion(class_count=5)(torch.zeros(2, 20, 3, 64, 64)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        *,
        class_count: int | None = None,
        clip_frames: int = 20,
        input_channels: int = 3,
    ) -> None:
        check_sizes(clip_frames=clip_frames)
        conv1 = nn.Conv2d(clip_frames * input_channels, _CHANNELS, 3, padding=1)
        conv2 = nn.Conv2d(_CHANNELS, _FEATURES, 3, padding=1)
        super().__init__(conv1, nn.MaxPool2d(4), conv2, class_count, input_channels)
        self.clip_frames = clip_frames

    def features(self, x: Tensor) -> Tensor:
        """Return the features ``[B, 24]`` of clips ``[B, T, C, H, W]``."""
        channels_first(x, self)
        if x.shape[1] != self.clip_frames:
            raise ShapeError(f"clips of {self.clip_frames} frames", f"T={x.shape[1]}")
        return self.maps(x.flatten(1, 2)).mean((2, 3))


class DeckSlowFusion(_DeckNetwork):
    """The decks' small example of a 3D CNN: time is lost slowly, as height and width are.

        features = the mean of conv2(pool(ReLU(conv1(x)))) over time and places

    Shapes: x [B, T, C, H, W] float, T >= 4; y [B, classes], or [B, 24] without classes.
    Args:
        class_count: classes of a last fully connected layer; None leaves it out, as the table does.
        input_channels: C.
    Raises:
        ConfigError: a size below 1.
    Source: the lecture decks' table of early fusion, late fusion and 3D CNN; 8,784 parameters.
    Example:
        >>> import torch
        >>> DeckSlowFusion(class_count=5)(torch.zeros(2, 20, 3, 64, 64)).shape
        torch.Size([2, 5])
    """

    fewest_frames = 4

    def __init__(self, *, class_count: int | None = None, input_channels: int = 3) -> None:
        conv1 = nn.Conv3d(input_channels, _CHANNELS, 3, padding=1)
        conv2 = nn.Conv3d(_CHANNELS, _FEATURES, 3, padding=1)
        super().__init__(conv1, nn.MaxPool3d(4), conv2, class_count, input_channels)

    def features(self, x: Tensor) -> Tensor:
        """Return the features ``[B, 24]`` of clips ``[B, T, C, H, W]``."""
        return self.maps(channels_first(x, self)).mean((2, 3, 4))
