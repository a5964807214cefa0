"""What all networks over pictures share: any axes in front, and features before the classes."""

from collections.abc import Callable
from math import prod
from typing import ClassVar

from torch import Tensor, nn

from unrolled.encoders._inputs import AsksOfPictures, check_pictures


class PictureNetwork(nn.Module):
    """Classify pictures, whatever axes stand in front of them: a clip gives logits for each frame.

        logits = head(maps(x))              features = the mean of maps(x) over all places

    A subclass writes ``maps`` and ``head``, and has ``features``: a method, or a part of that name
    where the published weights have one (``PooledPictures``). ``maps`` is made of modules that
    ``inflate`` knows, and of operations that do not count axes, so that it can be inflated.

    Shapes: x [..., C, H, W] float; y [..., classes] logits; features [..., D].
    Attributes:
        class_count: classes.
        feature_size: D.
        input_channels: C.
        smallest: the least H and W, in pixels.
        head_parts: names of the parts that ``head`` uses; they are never inflated.
    """

    class_count: int
    feature_size: int
    input_channels: int
    smallest: int = 1
    head_parts: ClassVar[tuple[str, ...]] = ()
    features: Callable[[Tensor], Tensor]

    def maps(self, x: Tensor) -> Tensor:
        """Return the last maps ``[N, D, H', W']`` of pictures ``[N, C, H, W]``."""
        raise NotImplementedError

    def head(self, maps: Tensor) -> Tensor:
        """Return logits ``[N, classes]`` of the last maps ``[N, D, H', W']``."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[..., classes]`` of pictures ``[..., C, H, W]``.

        Raises:
            ShapeError: another number of channels, or pictures that are too small.
            DtypeError: pictures of integers.
        """
        return over_pictures(lambda pictures: self.head(self.maps(pictures)), x, self)


class PooledPictures(nn.Sequential):
    """Layers that make maps of pictures; called, they give the mean of the maps over all places.

    Shapes: x [..., C, H, W] float; y [..., D].
    Args:
        layers: in order, the first one a convolution of C channels or a part that begins with one.
        input_channels: C.
        smallest: the least H and W, in pixels.
    """

    def __init__(self, *layers: nn.Module, input_channels: int, smallest: int) -> None:
        super().__init__(*layers)
        self.input_channels = input_channels
        self.smallest = smallest

    def maps(self, x: Tensor) -> Tensor:
        """Return the last maps ``[N, D, H', W']`` of pictures ``[N, C, H, W]``."""
        for layer in self:
            x = layer(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Return features ``[..., D]`` of pictures ``[..., C, H, W]``."""
        return over_pictures(lambda pictures: self.maps(pictures).mean((-2, -1)), x, self)


def over_pictures(function: Callable[[Tensor], Tensor], x: Tensor, asks: AsksOfPictures) -> Tensor:
    """Apply ``[N, C, H, W] -> [N, ...]`` to pictures with any axes in front of them.

    Args:
        function: sees the pictures as one batch.
        x: ``[..., C, H, W]``.
        asks: says how many channels and pixels a picture must have.
    """
    check_pictures(x, asks)
    leading = x.shape[:-3]
    y = function(x.reshape(prod(leading), *x.shape[-3:]))
    return y.reshape(*leading, *y.shape[1:])
