"""A network of causal convolutions made ready for a stream: weights folded, packed, and frozen.

What a stream repeats for every frame is done once, before the first: batch normalisation goes into
the weights of the convolution before it, weights go into the layout that the convolution wants, and
the frames that a convolution keeps lie in one place, channels last, and are written over.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn

from unrolled.kernels.trace import UnplannableError
from unrolled.layers.batch_norm import BatchNorm
from unrolled.layers.causal_conv3d import CausalConv3d, CausalConv3dState
from unrolled.layers.per_frame import PerFrame
from unrolled.recurrence import Recurrence
from unrolled.state import map_leaves

Layer = tuple[Recurrence[Any, Any, Any, Any], Any]  # and the state that it owns
_LAST = torch.channels_last


class PreparedStepper:
    """The step of a network of causal convolutions, over a state that it owns.

    Args:
        network: a recurrence with ``flattened``, such as a ``Serial``; its weights are
            those of this moment.
        state: to begin from; copied.

    Attributes:
        state: as it stands; its leaves are written over by every step.

    Raises:
        UnplannableError: with the reason.
    """

    def __init__(self, network: Recurrence[Any, Any, Any, Any], state: Any) -> None:
        if not any(isinstance(part, CausalConv3d) for part in network.modules()):
            raise UnplannableError("it has no causal convolution to prepare")
        if any(p.dtype != torch.float32 or p.device.type != "cpu" for p in network.parameters()):
            raise UnplannableError("its weights are not float32 on a CPU")
        if not hasattr(_mkldnn(), "_convolution_pointwise"):
            raise UnplannableError("this build of torch has no packed convolutions")
        if network.has_context():
            raise UnplannableError("a context is bound")
        self.state = map_leaves(_own, state)
        self._calls = _prepare(flatten(network, self.state))

    def __call__(self, x_t: Tensor) -> Tensor:
        """Take the next frame, and return what the step gives."""
        for call in self._calls:
            x_t = call(x_t)
        return x_t


def flatten(layer: Recurrence[Any, Any, Any, Any], state: Any) -> list[Layer]:
    """Return the layers that run one after the other, each with its state."""
    flattened = getattr(layer, "flattened", None)
    if flattened is not None:
        return [inner for part in flattened(state) for inner in flatten(*part)]
    return [(layer, state)]


def _own(leaf: Tensor) -> Tensor:
    """Copy a leaf of a state; frames ``[B, P, C, H, W]`` go into a buffer with a slot to spare.

    The buffer is ``[B, H, W, P + 1, C]``: at every place, the channels of all frames side by side.
    """
    if leaf.ndim != 5:
        return leaf.clone()
    rows, kept, channels, height, width = leaf.shape
    buffer = leaf.new_zeros(rows, height, width, kept + 1, channels)
    frames = buffer.permute(0, 3, 4, 1, 2)[:, :kept]
    return frames.copy_(leaf)


def _buffer_of(frames: Tensor) -> Tensor:
    """Return the buffer ``[B, H, W, P + 1, C]`` that frames of ``_own`` lie in."""
    rows, kept, channels, height, width = frames.shape
    slots = (kept + 1) * channels
    strides = (height * width * slots, width * slots, slots, channels, 1)
    return frames.as_strided((rows, height, width, kept + 1, channels), strides)


def _prepare(layers: list[Layer]) -> list[Callable[[Tensor], Tensor]]:
    calls: list[Callable[[Tensor], Tensor]] = []
    place = 0
    while place < len(layers):
        layer, state = layers[place]
        rest = [following for following, _ in layers[place + 1 :]]
        if isinstance(layer, CausalConv3d):
            norm = rest[0] if rest and isinstance(rest[0], BatchNorm) else None
            rectifies = _is_relu(rest, 0 if norm is None else 1)
            calls.append(_Convolution(layer, norm, state, rectifies=rectifies))
            place += (norm is not None) + rectifies
        elif hasattr(layer, "branches"):
            rectifies = _is_relu(rest, 0)
            calls.append(_Branches(layer, state, rectifies=rectifies))
            place += rectifies
        else:
            calls.append(_other(layer, state))
        place += 1
    return calls


def _is_relu(layers: list[Recurrence[Any, Any, Any, Any]], place: int) -> bool:
    if place >= len(layers):
        return False
    layer = layers[place]
    return isinstance(layer, PerFrame) and isinstance(layer.module, nn.ReLU)


def _other(layer: Recurrence[Any, Any, Any, Any], state: Any) -> Callable[[Tensor], Tensor]:
    """Run any other layer by its own step, its state written back to where it is owned."""
    if isinstance(layer, PerFrame):
        return cast(Callable[[Tensor], Tensor], layer.module)

    def call(x_t: Tensor) -> Tensor:
        y_t, after = layer.step_(x_t, state)
        map_leaves(lambda own, new: own if own is new else own.copy_(new), state, after)
        return cast(Tensor, y_t)

    return call


class _Branches:
    """Two ways that meet in a sum, which the last convolution of the first adds up itself."""

    def __init__(self, layer: Any, state: Any, *, rectifies: bool) -> None:
        main, around, inner = layer.branches(state)
        self.main = _prepare([part for pair in main for part in flatten(*pair)])
        self.around = _prepare([part for pair in around for part in flatten(*pair)])
        self.rectifies = rectifies or inner
        last = self.main[-1]
        self.last = last if isinstance(last, _Convolution) and not last.rectifies else None
        if self.last is not None:
            self.main.pop()
            self.last.rectifies = self.rectifies

    def __call__(self, x: Tensor) -> Tensor:
        y = x
        for call in self.main:
            y = call(y)
        for call in self.around:
            x = call(x)
        if self.last is not None:
            return self.last(y, x)
        return torch.relu_(y + x) if self.rectifies else y + x


class _Convolution:
    """A causal convolution of one frame, its normalisation, a sum and a ReLU, in a few calls."""

    def __init__(
        self,
        conv: CausalConv3d,
        norm: BatchNorm | None,
        state: CausalConv3dState,
        *,
        rectifies: bool,
    ) -> None:
        weight, self.bias = _folded(conv, norm)
        self.rectifies = rectifies
        self.conv = conv
        self.buffer = _buffer_of(state.frames)
        self.slots = list(self.buffer.permute(0, 3, 4, 1, 2).unbind(1))
        self.is_pointwise = conv.kernel_size[1:] == (1, 1) and conv.spatial_stride == 1
        by_tap = weight.flatten(3).movedim(2, 0)  # [k, D, C / groups, kh kw]
        if conv.groups > 1 and not _is_depthwise(conv):
            raise UnplannableError("it has groups of several channels")
        if self.is_pointwise:
            self.weight = by_tap[..., 0].movedim(0, 1).flatten(1).T.contiguous()
            self.weight = by_tap[:, :, 0, 0] if conv.groups > 1 else self.weight
        else:
            self.weight = _packed(conv, weight, state.frames.shape)

    def __call__(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        y = self._convolve(self._taps(x))
        for older, newer in pairwise(self.slots):
            older.copy_(newer)
        if other is not None:
            y = y.add_(other)
        return y.relu_() if self.rectifies else y

    def _taps(self, x: Tensor) -> Tensor:
        """Return ``[B, H, W, k, C]``, the frames that the taps meet."""
        if len(self.slots) == 1:
            return x.contiguous(memory_format=_LAST).permute(0, 2, 3, 1).unsqueeze(3)
        self.slots[-1].copy_(x)
        return self.buffer[:, :, :, :: self.conv.dilation]

    def _convolve(self, taps: Tensor) -> Tensor:
        channels = taps.flatten(3)
        if self.is_pointwise and self.conv.groups > 1:
            y = (taps * self.weight).sum(3)
            return (y if self.bias is None else y.add_(self.bias)).permute(0, 3, 1, 2)
        if self.is_pointwise:
            places = channels.flatten(0, 2)
            y = places @ self.weight if self.bias is None else self._affine(places)
            return y.unflatten(0, channels.shape[:3]).permute(0, 3, 1, 2)
        conv, is_depthwise = self.conv, self.conv.groups > 1
        y = _mkldnn()._convolution_pointwise(
            channels.permute(0, 3, 1, 2),
            self.weight,
            None if is_depthwise else self.bias,
            list(conv.spatial_padding),
            [conv.spatial_stride] * 2,
            [1, 1],
            channels.shape[-1] if is_depthwise else 1,
            "none",
            [],
            "",
        )
        if is_depthwise and conv.kernel_size[0] > 1:
            y = y.unflatten(1, (conv.kernel_size[0], -1)).sum(1)
        if is_depthwise and self.bias is not None:
            y = y.add_(self.bias[:, None, None])
        return cast(Tensor, y)

    def _affine(self, places: Tensor) -> Tensor:
        assert self.bias is not None
        return torch.addmm(self.bias, places, self.weight)


def _is_depthwise(conv: CausalConv3d) -> bool:
    return conv.groups == conv.in_channels == conv.out_channels


def _packed(conv: CausalConv3d, weight: Tensor, frames: torch.Size) -> Tensor:
    """Return the weight of the 2D convolution over all taps, as oneDNN wants it.

    These are the operations that ``torch.compile`` uses on CPUs.
    """
    num_taps = conv.kernel_size[0]
    rows, _, channels, *size = frames
    if conv.groups > 1:
        flat = weight.transpose(0, 2).transpose(1, 2).flatten(0, 1)  # [k C, 1, kh, kw]
    else:
        flat = weight.transpose(1, 2).flatten(1, 2)  # [D, k C, kh, kw]
    packed: Tensor = _mkldnn()._reorder_convolution_weight(
        flat.contiguous(memory_format=_LAST),
        list(conv.spatial_padding),
        [conv.spatial_stride] * 2,
        [1, 1],
        num_taps * channels if conv.groups > 1 else 1,
        [rows, num_taps * channels, *size],
    )
    return packed


def _mkldnn() -> Any:
    return torch.ops.mkldnn


def _folded(conv: CausalConv3d, norm: BatchNorm | None) -> tuple[Tensor, Tensor | None]:
    """Return weight and bias of a convolution that has the normalisation in it."""
    weight = conv.weight.detach()
    bias = None if conv.bias is None else conv.bias.detach()
    if norm is None:
        return weight, bias
    scale = norm.weight.detach() * torch.rsqrt(norm.running_var + norm.eps)
    shift = -norm.running_mean if bias is None else bias - norm.running_mean
    return weight * scale[:, None, None, None, None], norm.bias.detach() + scale * shift
