"""I3D: Inception-v1, inflated."""

import copy

from torch import Tensor
from torch.nn import functional as F

from unrolled.encoders._weights import initialise_he
from unrolled.encoders.clip import ClipNetwork, channels_first
from unrolled.encoders.inception import InceptionV1
from unrolled.encoders.inflation import TimePadding, inflate_layers

# The first two poolings stay within a frame: time is halved three times, space five times.
_STILL = frozenset({"pool_2a", "pool_3a"})


class I3D(ClipNetwork):
    """Inception-v1 over clips, every kernel and pooling grown in time.

        features = the mean of all pairs of neighbouring frames of layers(x), over places
        logits = fc(dropout(features))

    It sees all frames at once, so it cannot run frame by frame.

    Shapes: x [B, T, C, H, W] float; y [B, classes] logits; features [B, D], D = 16 width.
    Args:
        class_count: classes.
        width: channels of the first convolution; all others follow.
        input_channels: C; 2 for optical flow.
        dropout: share of the features that training drops.
        time_padding: what lies before the first frame and behind the last: "zeros", as in the
            paper's models, or copies of these frames, "replicate".
    Raises:
        ConfigError: a size below 1.
    Source: Carreira & Zisserman 2017, arXiv:1705.07750, Fig. 3. Differs: convolutions start as in
        He et al. 2015, arXiv:1502.01852, unless they come from pictures, by ``from_pictures``.
    Example:
        >>> import torch
        >>> I3D(class_count=5, width=4).eval()(torch.zeros(2, 9, 3, 32, 48)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        *,
        class_count: int = 400,
        width: int = 64,
        input_channels: int = 3,
        dropout: float = 0.5,
        time_padding: TimePadding = "zeros",
    ) -> None:
        super().__init__()
        pictures = InceptionV1(
            class_count=class_count, width=width, input_channels=input_channels, dropout=dropout
        )
        self._take(pictures, time_padding)
        initialise_he(self)

    @classmethod
    def from_pictures(
        cls, pictures: InceptionV1, *, time_padding: TimePadding = "replicate"
    ) -> "I3D":
        """Return the network that has the weights of ``pictures``, which is not changed.

        With ``time_padding="replicate"``, a clip that repeats one picture gives what it gave.
        """
        network = cls(width=4)
        network._take(copy.deepcopy(pictures), time_padding)
        return network.train(pictures.training)

    def _take(self, pictures: InceptionV1, time_padding: TimePadding) -> None:
        """Grow the layers of ``pictures``, and keep them and its classifier."""
        self.class_count = pictures.class_count
        self.input_channels = pictures.input_channels
        self.feature_size = pictures.feature_size
        self.layers = inflate_layers(pictures.layers, time_padding, _STILL)
        self.dropout = pictures.dropout
        self.fc = pictures.fc

    def features(self, x: Tensor) -> Tensor:
        """Return the features ``[B, D]`` of clips ``[B, T, C, H, W]``."""
        maps = self.layers(channels_first(x, self)).mean((3, 4))
        return F.avg_pool1d(maps, min(2, maps.shape[2]), stride=1).mean(2)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[B, classes]`` of clips ``[B, T, C, H, W]``."""
        logits: Tensor = self.fc(self.dropout(self.features(x)))
        return logits
