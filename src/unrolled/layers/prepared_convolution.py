"""A causal convolution of a stream, with everything around it that can be one call with it."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.kernels import native
from unrolled.kernels.frames import ChannelGate, DepthwiseTaps, PointwiseProduct
from unrolled.kernels.trace import UnplannableError
from unrolled.layers.batch_norm import BatchNorm
from unrolled.layers.causal_conv3d import CausalConv3d, CausalConv3dState
from unrolled.layers.squeeze_excitation import SqueezeExcitation

Pack = tuple[list[Tensor], Tensor | None]  # weights as calls want them, and a bias
Packs = dict[CausalConv3d, Pack]
LAST = torch.channels_last


class Activation(NamedTuple):
    """What is done to every place of a map ahead of a convolution of one place: a gate, a swish."""

    excitation: SqueezeExcitation | None
    swishes: bool


def takes_activation(conv: CausalConv3d) -> bool:
    """Return whether a convolution can do such a thing itself: it writes over what it is given."""
    return _is_pointwise(conv) and conv.spatial_stride == conv.groups == conv.kernel_size[0] == 1


class PreparedConvolution:
    """A causal convolution of one frame, its normalisation, a sum and a ReLU, in a few calls.

    A dense one is one product over the channels of all taps; a depthwise one adds its taps up.
    Its frames are in its state where ``begin`` and ``settle`` were called last; on the way they are
    the inputs themselves.
    """

    def __init__(
        self,
        conv: CausalConv3d,
        norm: BatchNorm | None,
        state: CausalConv3dState,
        packs: Packs,
        *,
        rectifies: bool,
        activation: Activation | None = None,
    ) -> None:
        if conv.groups > 1 and not conv.groups == conv.in_channels == conv.out_channels:
            raise UnplannableError("it has groups of several channels")
        self.conv = conv
        self.rectifies = rectifies
        self.activation = activation
        self.state = state
        self.begin()
        self.is_depthwise = conv.groups > 1
        self.is_pointwise = _is_pointwise(conv)
        self.native = native.available() is not None
        if conv not in packs:  # rows share them
            packs[conv] = self._pack(norm, state.frames.shape)
        self.weights, self.bias = packs[conv]
        self.product: PointwiseProduct | None = None  # with the first frame
        self.gate = _native_gate(activation) if self.native else None
        if self.native and self.is_depthwise:
            self.depthwise = DepthwiseTaps(
                self.weights[0],
                self.bias,
                (1, *state.frames.shape[3:]),
                stride=conv.spatial_stride,
                padding=conv.spatial_padding,
            )

    def begin(self) -> None:
        """Go on from the frames that lie in the state."""
        self.frames = list(self.state.frames.unbind(1))

    def settle(self) -> None:
        """Lay the frames into the state."""
        for slot, frame in zip(self.state.frames.unbind(1), self.frames, strict=True):
            slot.copy_(frame)  # never over one that is still to be moved: it would be a later one
        self.begin()

    @property
    def taps(self) -> list[Tensor]:
        """The frames that the weights meet, all but the newest."""
        return self.frames[:: self.conv.dilation]

    def _pack(self, norm: BatchNorm | None, frames: torch.Size) -> Pack:
        """Return the weights of every call, folded and laid out, and the bias."""
        conv = self.conv
        weight, bias = _folded(conv, norm)
        if self.is_depthwise:
            parts = list(weight.unbind(2))  # of one tap each, [C, 1, kh, kw]
        else:
            parts = [weight.transpose(1, 2).flatten(1, 2)]  # [D, k C, kh, kw]
        if self.native and self.is_depthwise:
            return [weight], bias
        if not self.is_pointwise:
            return [_packed(conv, part, frames) for part in parts], bias
        if self.is_depthwise:
            return [part[:, 0] for part in parts], bias  # [C, 1, 1]
        return [parts[0].flatten(1).T.contiguous()], bias  # [k C, D]

    def __call__(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        """Convolve the next frame, and add another map to it."""
        x = x.contiguous(memory_format=LAST)
        y, is_done = self._natively(x, other) if self.native else (None, False)
        if y is None:
            y = self._add_taps(x) if self.is_depthwise else self._multiply(x)
        self.frames = [*self.frames, x][1:] if self.frames else []
        if is_done:
            return y
        if other is not None:
            y = y.add_(other)
        return y.relu_() if self.rectifies else y

    def _natively(self, x: Tensor, other: Tensor | None) -> tuple[Tensor | None, bool]:
        """Return y, or None where torch is to make it, and whether sum and ReLU are in it."""
        if self.is_depthwise:
            last = other is None
            return self.depthwise([*self.taps, x], rectifies=self.rectifies and last), last
        if not self.is_pointwise:
            return None, False
        taps = self._side_by_side(x)
        if other is not None:
            other = other.contiguous(memory_format=LAST)
        if self.product is None:
            self.product = PointwiseProduct(
                self.weights[0],
                self.bias,
                taps.shape[0] * taps.shape[2] * taps.shape[3],
                adds=other is not None,
                rectifies=self.rectifies,
                gated=self.gate is not None,
                swishes=self.activation is not None and self.activation.swishes,
            )
        gate = None if self.gate is None else self.gate(x)
        return self.product(taps, other, gate), True

    def _seen(self, x: Tensor) -> list[Tensor]:
        """Return what the taps meet, the newest last: of one place, at the places of y alone."""
        frames, stride = [*self.taps, x], self.conv.spatial_stride
        if not self.is_pointwise or stride == 1:
            return frames
        return [frame[:, :, ::stride, ::stride] for frame in frames]

    def _side_by_side(self, x: Tensor) -> Tensor:
        frames = self._seen(x)
        taps = frames[0] if len(frames) == 1 else torch.cat(frames, dim=1)
        return taps.contiguous(memory_format=LAST)

    def _multiply(self, x: Tensor) -> Tensor:
        taps = self._side_by_side(_activated(x, self.activation))
        if not self.is_pointwise:
            return self._convolve(taps, self.weights[0], self.bias)
        places = taps.permute(0, 2, 3, 1).flatten(0, 2)
        y = torch.mm(places, self.weights[0])
        if self.bias is not None:
            y += self.bias
        rows, _, height, width = taps.shape
        return y.view(rows, height, width, -1).permute(0, 3, 1, 2)

    def _add_taps(self, x: Tensor) -> Tensor:
        if self.is_pointwise:
            *taps, newest = self._seen(x)
            y = newest * self.weights[-1]
            for tap, weight in zip(taps, self.weights, strict=False):
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


def _is_pointwise(conv: CausalConv3d) -> bool:
    return conv.kernel_size[1:] == (1, 1) and conv.spatial_padding == (0, 0)


def _native_gate(activation: Activation | None) -> ChannelGate | None:
    if activation is None or activation.excitation is None:
        return None
    into, out_of = activation.excitation.squeeze, activation.excitation.excite
    return ChannelGate(*(t.detach() for t in (into.weight, into.bias, out_of.weight, out_of.bias)))


def _activated(x: Tensor, activation: Activation | None) -> Tensor:
    if activation is None:
        return x
    if activation.excitation is not None:
        x = activation.excitation(x)
    return functional.silu(x) if activation.swishes else x


def has_packed_convolutions() -> bool:
    """Return whether this build of torch has the operations that ``torch.compile`` uses on CPUs."""
    return hasattr(_mkldnn(), "_convolution_pointwise")


def _packed(conv: CausalConv3d, weight: Tensor, frames: torch.Size) -> Tensor:
    """Return the weight of a 2D convolution of a frame, or of all taps, as oneDNN wants it."""
    channels = weight.shape[1] * conv.groups
    packed: Tensor = _mkldnn()._reorder_convolution_weight(
        weight.contiguous(memory_format=LAST),
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
