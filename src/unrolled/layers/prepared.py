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

from unrolled.kernels import native
from unrolled.kernels.frames import DepthwiseTaps, PointwiseProduct
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
    """Copy a leaf of a state; frames ``[B, P, C, H, W]`` with their channels last in memory."""
    if leaf.ndim != 5:
        return leaf.clone()
    # One frame of all rows is one piece of memory.
    return (
        leaf.permute(1, 0, 3, 4, 2)
        .clone(memory_format=torch.contiguous_format)
        .permute(1, 0, 4, 2, 3)
    )


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
    """A causal convolution of one frame, its normalisation, a sum and a ReLU, in a few calls.

    A dense one is one product over the channels of all taps; a depthwise one adds its taps up.
    """

    def __init__(
        self,
        conv: CausalConv3d,
        norm: BatchNorm | None,
        state: CausalConv3dState,
        *,
        rectifies: bool,
    ) -> None:
        if conv.groups > 1 and not conv.groups == conv.in_channels == conv.out_channels:
            raise UnplannableError("it has groups of several channels")
        self.conv = conv
        self.rectifies = rectifies
        self.frames = list(state.frames.unbind(1))
        self.taps = self.frames[:: conv.dilation]
        self.is_depthwise = conv.groups > 1
        self.is_pointwise = conv.kernel_size[1:] == (1, 1) and conv.spatial_stride == 1
        weight, self.bias = _folded(conv, norm)
        if self.is_depthwise:
            parts = list(weight.unbind(2))  # of one tap each, [C, 1, kh, kw]
        else:
            parts = [weight.transpose(1, 2).flatten(1, 2)]  # [D, k C, kh, kw]
        self.native = native.available() is not None
        self.product: PointwiseProduct | None = None  # with the first frame
        if self.native and self.is_depthwise:
            self.depthwise = DepthwiseTaps(
                weight,
                self.bias,
                self.taps,
                (state.frames.shape[0], *state.frames.shape[3:]),
                stride=conv.spatial_stride,
                padding=conv.spatial_padding,
            )
        elif not self.is_pointwise:
            self.weights = [_packed(conv, part, state.frames.shape) for part in parts]
        elif self.is_depthwise:
            self.weights = [part[:, 0] for part in parts]  # [C, 1, 1]
        else:
            self.weights = [parts[0].flatten(1).T.clone(memory_format=torch.contiguous_format)]

    def __call__(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        x = x.contiguous(memory_format=_LAST)
        y, is_done = self._natively(x, other) if self.native else (None, False)
        if y is None:
            y = self._add_taps(x) if self.is_depthwise else self._multiply(x)
        for older, newer in pairwise([*self.frames, x]):
            older.copy_(newer)
        if is_done:
            return y
        if other is not None:
            y = y.add_(other)
        return y.relu_() if self.rectifies else y

    def _natively(self, x: Tensor, other: Tensor | None) -> tuple[Tensor | None, bool]:
        """Return y, or None where torch is to make it, and whether sum and ReLU are in it."""
        if self.is_depthwise:
            last = other is None
            return self.depthwise(x, rectifies=self.rectifies and last), last
        if not self.is_pointwise:
            return None, False
        taps = torch.cat([*self.taps, x], dim=1) if self.taps else x
        if other is not None:
            other = other.contiguous(memory_format=_LAST)
        if self.product is None:
            self.product = PointwiseProduct(
                self.weights[0],
                self.bias,
                x.shape[0] * x.shape[2] * x.shape[3],
                adds=other is not None,
                rectifies=self.rectifies,
            )
        return self.product(taps, other), True

    def _multiply(self, x: Tensor) -> Tensor:
        taps = torch.cat([*self.taps, x], dim=1) if self.taps else x
        if not self.is_pointwise:
            return self._convolve(taps, self.weights[0], self.bias)
        places = taps.permute(0, 2, 3, 1).flatten(0, 2)
        y = torch.mm(places, self.weights[0])
        if self.bias is not None:
            y += self.bias
        rows, _, height, width = x.shape
        return y.view(rows, height, width, -1).permute(0, 3, 1, 2)

    def _add_taps(self, x: Tensor) -> Tensor:
        if self.is_pointwise:
            y = x * self.weights[-1]
            for tap, weight in zip(self.taps, self.weights, strict=False):
                y = y.addcmul_(tap, weight)
            return y if self.bias is None else y.add_(self.bias[:, None, None])
        y = self._convolve(x, self.weights[-1], self.bias)
        for tap, weight in zip(self.taps, self.weights, strict=False):
            y = self._convolve(tap, weight, None, y)
        return y

    def _convolve(
        self, x: Tensor, weight: Tensor, bias: Tensor | None, other: Tensor | None = None
    ) -> Tensor:
        conv = self.conv
        padding, stride = list(conv.spatial_padding), [conv.spatial_stride] * 2
        where = (weight, bias, padding, stride, [1, 1], conv.groups)
        y: Tensor
        if other is None:
            y = _mkldnn()._convolution_pointwise(x, *where, "none", [], "")
        else:
            sums = _mkldnn()._convolution_pointwise.binary
            y = sums(x, other, *where, "add", 1.0, None, [], None)
        return y


def _packed(conv: CausalConv3d, weight: Tensor, frames: torch.Size) -> Tensor:
    """Return the weight of a 2D convolution of a frame, or of all taps, as oneDNN wants it.

    These are the operations that ``torch.compile`` uses on CPUs.
    """
    channels = weight.shape[1] * conv.groups
    packed: Tensor = _mkldnn()._reorder_convolution_weight(
        weight.contiguous(memory_format=_LAST),
        list(conv.spatial_padding),
        [conv.spatial_stride] * 2,
        [1, 1],
        conv.groups,
        [frames[0], channels, *frames[3:]],
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
