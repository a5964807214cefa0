"""Inflation: a network over pictures becomes one over clips, kernels and poolings grown in time."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, cast

from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.encoders.clip import ClipNetwork, channels_first
from unrolled.encoders.picture import PictureNetwork
from unrolled.errors import ConfigError
from unrolled.registry import build

#: what lies before the first frame and behind the last: zeros, or copies of these frames
TimePadding: TypeAlias = Literal["zeros", "replicate"]

# Layers that count no axes, or act on channels alone: they serve clips as they are.
_ANY_AXES = (nn.ReLU, nn.ReLU6, nn.SiLU, nn.Sigmoid, nn.Identity, nn.Dropout)


def inflate(
    network: PictureNetwork,
    *,
    time_padding: TimePadding = "replicate",
    still: Iterable[str] = (),
) -> "Inflated":
    """Make a network over clips of one over pictures, its weights included.

        weight[:, :, t] = picture weight / taps              t = 0 ... taps - 1

    A k x k kernel gets k taps in time, a pooling likewise, and both their stride in space as their
    stride in time. A clip that repeats one picture then gives what the picture gave. With
    ``time_padding="zeros"`` that holds for maps away from both ends of the clip only.

    Args:
        network: it is copied, not changed.
        time_padding: "replicate" repeats the first and the last frame, "zeros" pads as in space.
        still: names of parts, as ``named_modules`` gives them, that stay within one frame.
    Raises:
        ConfigError: a layer that cannot be inflated, or a name in ``still`` that no part has.
    Source: Carreira & Zisserman 2017, arXiv:1705.07750, §2.4.
    Example:
        >>> import torch
        >>> from unrolled.encoders import ResNet18
        >>> pictures = ResNet18(class_count=5, width=4).eval()
        >>> clips = inflate(pictures)
        >>> x = torch.randn(2, 3, 32, 32)
        >>> torch.allclose(clips(x[:, None].expand(2, 7, 3, 32, 32)), pictures(x), atol=1e-5)
        True
    """
    copied = copy.deepcopy(network)
    for name, part in list(copied.named_children()):
        if name not in copied.head_parts:
            setattr(copied, name, inflate_layers(part, time_padding, _within(name, still)))
    _check_names(network, still)
    return Inflated(copied).train(network.training)


class Inflated(ClipNetwork):
    """What ``inflate`` makes: a network over pictures whose layers were grown in time.

        logits = head(the mean of maps(x) over time)

    It sees all frames at once, so it cannot run frame by frame.

    Shapes: x [B, T, C, H, W] float; y [B, classes] logits; features [B, D].
    Args:
        network: as inflated by ``inflate``.
    Source: Carreira & Zisserman 2017, arXiv:1705.07750, §2.4.
    Example:
        >>> import torch
        >>> from unrolled.encoders import ResNet18
        >>> inflate(ResNet18(class_count=5, width=4)).eval()(torch.zeros(2, 7, 3, 32, 32)).shape
        torch.Size([2, 5])
    """

    def __init__(self, network: PictureNetwork) -> None:
        super().__init__()
        self.network = network
        self.class_count = network.class_count
        self.feature_size = network.feature_size
        self.input_channels = network.input_channels
        self.smallest = network.smallest

    def features(self, x: Tensor) -> Tensor:
        """Return the mean ``[B, D]`` of the last maps over time and places."""
        return self.network.maps(channels_first(x, self)).mean((2, 3, 4))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[B, classes]`` of clips ``[B, T, C, H, W]``."""
        return self.network.head(self.network.maps(channels_first(x, self)).mean(2))


class InflatedPictures(Inflated):
    """A network over pictures that is named, inflated; for models whose files name networks.

        logits = head(the mean of maps(x) over time)

    It sees all frames at once, so it cannot run frame by frame.

    Shapes: x [B, T, C, H, W] float; y [B, classes] logits; features [B, D].
    Args:
        class_count: classes.
        network: the name of a network over pictures.
        network_options: of it.
        time_padding: what lies before the first frame and behind the last.
    Raises:
        ConfigError: no such network, or one that cannot be inflated.
    Source: Carreira & Zisserman 2017, arXiv:1705.07750, §2.4.
    Example:
        >>> import torch
        >>> network = InflatedPictures(class_count=5, network="plain_cnn").eval()
        >>> network(torch.zeros(2, 7, 3, 32, 32)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        *,
        class_count: int = 1000,
        network: str = "resnet18",
        network_options: Mapping[str, Any] | None = None,
        time_padding: TimePadding = "replicate",
    ) -> None:
        pictures = build(network, class_count=class_count, **(network_options or {}))
        if not isinstance(pictures, PictureNetwork):
            raise ConfigError("the name of a network over pictures", repr(network))
        super().__init__(inflate(pictures, time_padding=time_padding).network)


class TimeConv3d(nn.Conv3d):
    """A convolution of pictures, grown in time; T only follows its stride.

    Shapes: x [B, C, T, H, W]; y [B, D, ceil(T / stride), H', W'].
    Args:
        conv: over pictures; every tap gets its share of the weight, and the bias is taken over.
        taps: in time.
        time_stride: in time.
        time_padding: "zeros" or "replicate".
    """

    def __init__(
        self, conv: nn.Conv2d, taps: int, time_stride: int, time_padding: TimePadding
    ) -> None:
        if isinstance(conv.padding, str) or conv.padding_mode != "zeros":
            got = f"padding={conv.padding!r}, padding_mode={conv.padding_mode!r}"
            raise ConfigError("a convolution padded by numbers of zeros", got)
        super().__init__(
            conv.in_channels,
            conv.out_channels,
            (taps, *_pair(conv.kernel_size)),
            (time_stride, *_pair(conv.stride)),
            (0, *_pair(conv.padding)),
            (1, *_pair(conv.dilation)),
            conv.groups,
            conv.bias is not None,
            device="meta",
        )
        self.time_padding: TimePadding = time_padding
        weight = conv.weight.detach()
        grown = weight.new_empty(*weight.shape[:2], taps, *weight.shape[2:])
        if not weight.is_meta:
            grown.copy_((weight / taps)[:, :, None].expand_as(grown))
        self.weight = nn.Parameter(grown)
        self.bias = conv.bias

    def forward(self, input: Tensor) -> Tensor:
        """Return ``[B, D, T', H', W']``."""
        taps, stride = self.kernel_size[0], self.stride[0]
        return super().forward(pad_time(input, taps, stride, self.time_padding))


class TimeMaxPool3d(nn.MaxPool3d):
    """A pooling of pictures by their largest value, grown in time; T only follows its stride.

    Shapes: x [B, C, T, H, W]; y [B, C, ceil(T / stride), H', W'].
    Args:
        pool: over pictures.
        taps: in time.
        time_stride: in time.
    """

    def __init__(self, pool: nn.MaxPool2d, taps: int, time_stride: int) -> None:
        kernel, stride, padding = map(_pair, (pool.kernel_size, pool.stride, pool.padding))
        sizes = (taps, *kernel), (time_stride, *stride), (0, *padding)
        super().__init__(*sizes, ceil_mode=pool.ceil_mode)

    def forward(self, input: Tensor) -> Tensor:
        """Return ``[B, C, T', H', W']``."""
        taps, *_ = cast(tuple[int, int, int], self.kernel_size)
        stride, *_ = cast(tuple[int, int, int], self.stride)
        # A copy of a frame that a window holds already does not change the largest value.
        y: Tensor = super().forward(pad_time(input, taps, stride, "replicate"))
        return y


def inflate_layers(
    layer: nn.Module, time_padding: TimePadding, still: frozenset[str] = frozenset()
) -> nn.Module:
    """Grow a layer and all within it in time, in place where it has parts, and return it.

    Args:
        layer: of a network over pictures.
        time_padding: of its convolutions.
        still: names of parts within that stay within one frame; "" is the layer itself.
    Raises:
        ConfigError: a layer that cannot be inflated.
    """
    children = list(layer.named_children())
    for name, part in children:
        setattr(layer, name, inflate_layers(part, time_padding, _within(name, still)))
    grow = "" not in still
    kind = type(layer)  # a class derived from one of torch's may do something else
    if isinstance(layer, nn.Conv2d) and kind is nn.Conv2d:
        kernel, stride = layer.kernel_size[0], layer.stride[0]
        return TimeConv3d(layer, kernel if grow else 1, stride if grow else 1, time_padding)
    if isinstance(layer, nn.MaxPool2d) and kind is nn.MaxPool2d:
        kernel, stride = _pair(layer.kernel_size)[0], _pair(layer.stride)[0]
        return TimeMaxPool3d(layer, kernel if grow else 1, stride if grow else 1)
    if isinstance(layer, nn.BatchNorm2d) and kind is nn.BatchNorm2d:
        return _batch_norm(layer)
    flat = isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.BatchNorm2d)
    own = kind.__module__.partition(".")[0] != "torch" and not flat
    if children or own or isinstance(layer, (*_ANY_AXES, nn.Sequential)):
        return layer
    raise ConfigError("layers that can be inflated", f"a {kind.__name__}")


def pad_time(x: Tensor, taps: int, stride: int, time_padding: TimePadding) -> Tensor:
    """Pad ``[B, C, T, H, W]`` in time so that ceil(T / stride) windows of ``taps`` fit.

    Where the padding is odd, the end gets the larger half.
    """
    num_frames = x.shape[2]
    total = max(0, (-(-num_frames // stride) - 1) * stride + taps - num_frames)
    before, after = total // 2, total - total // 2
    if total == 0:
        return x
    mode = "constant" if time_padding == "zeros" else "replicate"
    return F.pad(x, (0, 0, 0, 0, before, after), mode=mode)


def _batch_norm(layer: nn.BatchNorm2d) -> nn.BatchNorm3d:
    tracks = layer.track_running_stats
    grown = nn.BatchNorm3d(layer.num_features, layer.eps, layer.momentum, layer.affine, tracks)
    grown.load_state_dict(layer.state_dict(), assign=True)
    return grown


def _within(name: str, still: Iterable[str]) -> frozenset[str]:
    """Return the names that lie in the part ``name``, told from there; "" is the part itself."""
    whole = {""} if name in still or "" in still else set()
    inner = {path[len(name) + 1 :] for path in still if path.startswith(f"{name}.")}
    return frozenset(whole | inner)


def _check_names(network: nn.Module, still: Iterable[str]) -> None:
    names = dict(network.named_modules())
    for name in still:
        if name not in names:
            near = ", ".join(part for part, _ in network.named_children())
            raise ConfigError(f"names of parts, such as {near}", repr(name))


def _pair(size: int | tuple[int, ...]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])
