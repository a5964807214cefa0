"""C3D: convolutions over time as over space."""

from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.encoders._weights import check_sizes, initialise_he, initialise_normal
from unrolled.encoders.clip import ClipNetwork, channels_first
from unrolled.errors import ConfigError, ShapeError


class C3D(ClipNetwork):
    """Eight 3x3x3 convolutions and three fully connected layers over whole clips of fixed size.

        maps = pool5(conv5b(conv5a(pool4( ... pool1(conv1(x))))))     a ReLU behind every conv
        features = ReLU(fc6(maps))
        logits = fc8(dropout(ReLU(fc7(dropout(features)))))

    It sees all frames at once, so it cannot run frame by frame.

    Shapes: x [B, T, C, H, W] float, T = ``clip_frames``, H = W = ``frame_pixels``;
        y [B, classes] logits; features [B, D], D = ``hidden_size``.
    Args:
        class_count: classes.
        clip_frames: T, at least 16.
        frame_pixels: H and W, at least 16.
        width: channels of the first convolution.
        hidden_size: units of the two hidden fully connected layers.
        input_channels: C.
    Raises:
        ConfigError: a size that is too small.
        ShapeError: clips of another size.
    Source: Tran et al. 2015, arXiv:1412.0767, §3.2 and Fig. 3. The last pooling is padded by one in
        height and width, as in the authors' model, so that fc6 reads 8,192 numbers. Differs:
        convolutions start as in He et al. 2015, arXiv:1502.01852.
    Example:
        >>> import torch
        >>> network = C3D(class_count=5, frame_pixels=32, width=2, hidden_size=7).eval()
        >>> network(torch.zeros(2, 16, 3, 32, 32)).shape
        torch.Size([2, 5])
    """

    fewest_frames = 16
    smallest = 16

    def __init__(
        self,
        *,
        class_count: int = 487,
        clip_frames: int = 16,
        frame_pixels: int = 112,
        width: int = 64,
        hidden_size: int = 4096,
        input_channels: int = 3,
    ) -> None:
        super().__init__()
        check_sizes(class_count=class_count, width=width, hidden_size=hidden_size)
        check_sizes(input_channels=input_channels)
        if min(clip_frames, frame_pixels) < 16:
            got = f"{clip_frames = }, {frame_pixels = }"
            raise ConfigError("clips of at least 16 frames of 16 x 16 pixels", got)
        self.class_count = class_count
        self.clip_frames = clip_frames
        self.frame_pixels = frame_pixels
        self.input_channels = input_channels
        self.feature_size = hidden_size
        self.conv1 = nn.Conv3d(input_channels, width, 3, padding=1)
        self.pool1 = nn.MaxPool3d((1, 2, 2))
        self.conv2 = nn.Conv3d(width, 2 * width, 3, padding=1)
        self.pool2 = nn.MaxPool3d(2)
        self.conv3a = nn.Conv3d(2 * width, 4 * width, 3, padding=1)
        self.conv3b = nn.Conv3d(4 * width, 4 * width, 3, padding=1)
        self.pool3 = nn.MaxPool3d(2)
        self.conv4a = nn.Conv3d(4 * width, 8 * width, 3, padding=1)
        self.conv4b = nn.Conv3d(8 * width, 8 * width, 3, padding=1)
        self.pool4 = nn.MaxPool3d(2)
        self.conv5a = nn.Conv3d(8 * width, 8 * width, 3, padding=1)
        self.conv5b = nn.Conv3d(8 * width, 8 * width, 3, padding=1)
        self.pool5 = nn.MaxPool3d(2, padding=(0, 1, 1))
        side = frame_pixels // 16 // 2 + 1
        self.fc6 = nn.Linear(8 * width * (clip_frames // 16) * side**2, hidden_size)
        self.fc7 = nn.Linear(hidden_size, hidden_size)
        self.fc8 = nn.Linear(hidden_size, class_count)
        self.dropout = nn.Dropout()
        initialise_he(self)
        initialise_normal(self, nn.Linear, 0.01)

    def features(self, x: Tensor) -> Tensor:
        """Return the activations ``[B, D]`` of fc6, the features that the paper calls C3D."""
        size = self.clip_frames, self.frame_pixels, self.frame_pixels
        x = channels_first(x, self)
        if x.shape[2:] != size:
            expected = "clips of {} frames of {} x {} pixels".format(*size)
            cure = "sample and resize them, or build it for others"
            raise ShapeError(expected, "{} of {} x {}".format(*x.shape[2:]), cure)
        x = self.pool1(F.relu(self.conv1(x)))
        x = self.pool2(F.relu(self.conv2(x)))
        x = self.pool3(F.relu(self.conv3b(F.relu(self.conv3a(x)))))
        x = self.pool4(F.relu(self.conv4b(F.relu(self.conv4a(x)))))
        x = self.pool5(F.relu(self.conv5b(F.relu(self.conv5a(x)))))
        return F.relu(self.fc6(x.flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[B, classes]`` of clips ``[B, T, C, H, W]``."""
        hidden = F.relu(self.fc7(self.dropout(self.features(x))))
        logits: Tensor = self.fc8(self.dropout(hidden))
        return logits
