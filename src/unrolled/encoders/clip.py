"""What all networks over whole clips share: one layout, and features before the classes."""

from collections.abc import Callable

from torch import Tensor, nn

from unrolled.encoders._inputs import AsksOfClips, check_clips


class ClipNetwork(nn.Module):
    """Classify whole clips; it sees all frames at once, so it cannot run frame by frame.

    A subclass writes ``forward``, and has ``features``: a method, or a part of that name where the
    published weights have one.

    Shapes: x [B, T, C, H, W] float; y [B, classes] logits; features [B, D].
    Attributes:
        class_count: classes.
        feature_size: D.
        input_channels: C.
        smallest: the least H and W, in pixels.
        fewest_frames: the least T.
    """

    class_count: int
    feature_size: int
    input_channels: int
    smallest: int = 1
    fewest_frames: int = 1
    features: Callable[[Tensor], Tensor]


def channels_first(x: Tensor, asks: AsksOfClips) -> Tensor:
    """Return clips ``[B, T, C, H, W]`` as torch's convolutions take them, ``[B, C, T, H, W]``.

    Args:
        x: the clips.
        asks: says how many channels, frames and pixels a clip must have.
    Raises:
        ShapeError: another layout or number of channels, or clips that are too small or short.
        DtypeError: clips of integers.
    """
    check_clips(x, asks)
    return x.transpose(1, 2)
