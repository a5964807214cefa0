"""The fusion ladder: where a network over pictures may meet time."""

import torch
from torch import Tensor, nn

from unrolled.encoders._weights import check_sizes, initialise_he
from unrolled.encoders.backbone import Backbone, backbone_of, without_head
from unrolled.encoders.clip import ClipNetwork, channels_first
from unrolled.encoders.inflation import inflate
from unrolled.encoders.picture import PictureNetwork
from unrolled.errors import ShapeError


class SingleFrame(ClipNetwork):
    """Classify every frame by itself and average the probabilities: no time at all.

        softmax(logits) = mean over t of softmax(backbone(x_t))

    The order of the frames changes nothing, to the bit. Training may also take a loss for every
    frame, on ``frame_logits``.

    Shapes: x [B, T, C, H, W] float, any T; y [B, classes] logits; features [B, D].
    Args:
        class_count: classes.
        backbone: name of a network over pictures, or one that has ``class_count`` classes.
        width: of the named backbone; None leaves its own.
        input_channels: C.
    Raises:
        ConfigError: a name that is not a network's over pictures, or one with other classes.
    Source: Karpathy et al. 2014, "Large-scale video classification with convolutional neural
        networks", §3.1, single-frame.
    Example:
        >>> SingleFrame(class_count=5, width=4).eval()(torch.zeros(2, 7, 3, 32, 24)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        *,
        class_count: int = 487,
        backbone: Backbone = "plain_cnn",
        width: int | None = None,
        input_channels: int = 3,
    ) -> None:
        super().__init__()
        self.backbone = backbone_of(
            backbone, class_count=class_count, width=width, input_channels=input_channels
        )
        _take_sizes(self, self.backbone, class_count)

    def frame_logits(self, x: Tensor) -> Tensor:
        """Return logits of every frame ``[B, T, classes]``."""
        channels_first(x, self)
        logits: Tensor = self.backbone(x)
        return logits

    def features(self, x: Tensor) -> Tensor:
        """Return the mean ``[B, D]`` of the frames' features."""
        channels_first(x, self)
        return mean_of_frames(self.backbone.features(x))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[B, classes]``, the logarithms of the mean probabilities."""
        log_probabilities = self.frame_logits(x).log_softmax(-1)
        sums = log_probabilities.sort(dim=1).values.logsumexp(1)
        return sums - torch.tensor(x.shape[1], dtype=sums.dtype, device=sums.device).log()


class LateFusion(ClipNetwork):
    """Put the features of all frames side by side before fully connected layers see them.

        features = backbone.features(x_1) ... backbone.features(x_T), side by side
        logits = fc2(dropout(ReLU(fc1(features))))

    Shapes: x [B, T, C, H, W] float, T = ``clip_frames``; y [B, classes] logits; features [B, T D].
    Args:
        class_count: classes.
        clip_frames: T.
        backbone: name of a network over pictures, or one; without its head.
        width: of the named backbone; None leaves its own.
        hidden_size: units of fc1.
        dropout: share of the hidden units that training drops.
        input_channels: C.
    Raises:
        ConfigError: a size below 1, or a name that is not a network's over pictures.
        ShapeError: clips of other than ``clip_frames`` frames.
    Source: Karpathy et al. 2014, §3.1, late fusion. Differs: all frames of the clip go in, not two
        of them.
    Example:
        >>> network = LateFusion(class_count=5, clip_frames=7, width=4).eval()
        >>> network(torch.zeros(2, 7, 3, 32, 24)).shape, network.feature_size
        (torch.Size([2, 5]), 224)
    """

    def __init__(
        self,
        *,
        class_count: int = 487,
        clip_frames: int = 16,
        backbone: Backbone = "plain_cnn",
        width: int | None = None,
        hidden_size: int = 512,
        dropout: float = 0.5,
        input_channels: int = 3,
    ) -> None:
        super().__init__()
        check_sizes(class_count=class_count, clip_frames=clip_frames, hidden_size=hidden_size)
        self.backbone = _headless(backbone, width, input_channels)
        _take_sizes(self, self.backbone, class_count)
        self.clip_frames = clip_frames
        self.feature_size = clip_frames * self.backbone.feature_size
        self.fc1 = nn.Linear(self.feature_size, hidden_size)
        self.fc2 = nn.Linear(hidden_size, class_count)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(dropout)

    def features(self, x: Tensor) -> Tensor:
        """Return the frames' features side by side, ``[B, T D]``."""
        channels_first(x, self)
        _check_frames(x, self.clip_frames)
        return self.backbone.features(x).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[B, classes]`` of clips ``[B, T, C, H, W]``."""
        logits: Tensor = self.fc2(self.dropout(self.relu(self.fc1(self.features(x)))))
        return logits


class LateFusionPooling(ClipNetwork):
    """Average the features of all frames before a fully connected layer sees them.

        features = mean over t of backbone.features(x_t)
        logits = fc(features)

    The order of the frames changes nothing, to the bit.

    Shapes: x [B, T, C, H, W] float, any T; y [B, classes] logits; features [B, D].
    Args:
        class_count: classes.
        backbone: name of a network over pictures, or one; without its head.
        width: of the named backbone; None leaves its own.
        input_channels: C.
    Raises:
        ConfigError: a size below 1, or a name that is not a network's over pictures.
    Source: the lecture decks' late fusion with pooling; Karpathy et al. 2014, §3.1, has the one
        with fully connected layers.
    Example:
        >>> LateFusionPooling(class_count=5, width=4).eval()(torch.zeros(2, 7, 3, 32, 24)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        *,
        class_count: int = 487,
        backbone: Backbone = "plain_cnn",
        width: int | None = None,
        input_channels: int = 3,
    ) -> None:
        super().__init__()
        check_sizes(class_count=class_count)
        self.backbone = _headless(backbone, width, input_channels)
        _take_sizes(self, self.backbone, class_count)
        self.fc = nn.Linear(self.feature_size, class_count)

    def features(self, x: Tensor) -> Tensor:
        """Return the mean ``[B, D]`` of the frames' features."""
        channels_first(x, self)
        return mean_of_frames(self.backbone.features(x))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[B, classes]`` of clips ``[B, T, C, H, W]``."""
        logits: Tensor = self.fc(self.features(x))
        return logits


class EarlyFusion(ClipNetwork):
    """Let the first convolution see all frames as one picture of T C channels, and lose time there.

        logits = backbone(x_1 ... x_T, side by side in channels)

    Every filter has weights of its own for every frame: what it learns to see at one time, it does
    not see at another.

    Shapes: x [B, T, C, H, W] float, T = ``clip_frames``; y [B, classes] logits; features [B, D].
    Args:
        class_count: classes.
        clip_frames: T.
        backbone: name of a network over pictures, or one of T C input channels.
        width: of the named backbone; None leaves its own.
        input_channels: C.
    Raises:
        ConfigError: a size below 1, or a name that is not a network's over pictures.
        ShapeError: clips of other than ``clip_frames`` frames.
    Source: Karpathy et al. 2014, §3.1, early fusion. Differs: over the whole clip.
    Example:
        >>> network = EarlyFusion(class_count=5, clip_frames=7, width=4).eval()
        >>> network(torch.zeros(2, 7, 3, 32, 24)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        *,
        class_count: int = 487,
        clip_frames: int = 16,
        backbone: Backbone = "plain_cnn",
        width: int | None = None,
        input_channels: int = 3,
    ) -> None:
        super().__init__()
        check_sizes(clip_frames=clip_frames, input_channels=input_channels)
        channels = clip_frames * input_channels
        self.backbone = backbone_of(
            backbone, class_count=class_count, width=width, input_channels=channels
        )
        _take_sizes(self, self.backbone, class_count)
        self.clip_frames = clip_frames
        self.input_channels = input_channels

    def features(self, x: Tensor) -> Tensor:
        """Return the features ``[B, D]`` of the one picture that all frames make."""
        return self.backbone.features(self._one_picture(x))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[B, classes]`` of clips ``[B, T, C, H, W]``."""
        logits: Tensor = self.backbone(self._one_picture(x))
        return logits

    def _one_picture(self, x: Tensor) -> Tensor:
        channels_first(x, self)
        _check_frames(x, self.clip_frames)
        return x.flatten(1, 2)


class SlowFusion(ClipNetwork):
    """Grow every layer in time, and so lose time layer by layer: a 3D convolutional network.

        logits = inflate(backbone)(x)

    Shapes: x [B, T, C, H, W] float, any T; y [B, classes] logits; features [B, D].
    Args:
        class_count: classes.
        backbone: name of a network over pictures, whose weights are drawn after it was inflated;
            or one that has ``class_count`` classes, whose weights are inflated.
        width: of the named backbone; None leaves its own.
        input_channels: C.
    Raises:
        ConfigError: a name that is not a network's over pictures, or one with other classes.
    Source: Karpathy et al. 2014, §3.1, slow fusion, with the kernels of a 3D CNN: Ji et al. 2013,
        "3D convolutional neural networks for human action recognition".
    Example:
        >>> SlowFusion(class_count=5, width=4).eval()(torch.zeros(2, 7, 3, 32, 24)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        *,
        class_count: int = 487,
        backbone: Backbone = "plain_cnn",
        width: int | None = None,
        input_channels: int = 3,
    ) -> None:
        super().__init__()
        pictures = backbone_of(
            backbone, class_count=class_count, width=width, input_channels=input_channels
        )
        self.inflated = inflate(pictures)
        if isinstance(backbone, str):
            initialise_he(self.inflated)
        _take_sizes(self, pictures, class_count)

    def features(self, x: Tensor) -> Tensor:
        """Return the mean ``[B, D]`` of the last maps over time and places."""
        return self.inflated.features(x)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[B, classes]`` of clips ``[B, T, C, H, W]``."""
        logits: Tensor = self.inflated(x)
        return logits


def mean_of_frames(features: Tensor) -> Tensor:
    """Return the mean ``[B, D]`` of ``[B, T, D]``, the same to the bit for any order of frames."""
    # Sorted first, because a sum of floats depends on its order.
    return features.sort(dim=1).values.mean(1)


def _headless(backbone: Backbone, width: int | None, input_channels: int) -> PictureNetwork:
    network = backbone_of(backbone, class_count=None, width=width, input_channels=input_channels)
    return without_head(network)


def _take_sizes(network: ClipNetwork, backbone: PictureNetwork, class_count: int) -> None:
    """Let a network say of itself what its backbone says."""
    network.class_count = class_count
    network.feature_size = backbone.feature_size
    network.input_channels = backbone.input_channels
    network.smallest = backbone.smallest


def _check_frames(x: Tensor, clip_frames: int) -> None:
    if x.shape[1] != clip_frames:
        cure = "sample clips of that length, or build it with another clip_frames"
        raise ShapeError(f"clips of {clip_frames} frames", f"T={x.shape[1]}", cure)
