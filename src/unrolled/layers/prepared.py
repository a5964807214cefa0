"""A network of causal convolutions made ready for a stream: weights folded, packed, and frozen.

What a stream repeats for every frame is done once, before the first: batch normalisation goes into
the weights of the convolution before it, and weights go into the layout that the convolution wants.
The frames that a convolution looks back to are the tensors that were its inputs: none is copied.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
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
from unrolled.state import leaves, map_leaves

Layer = tuple[Recurrence[Any, Any, Any, Any], Any]  # and the state that it owns
Pack = tuple[list[Tensor], Tensor | None]  # weights as calls want them, and a bias
Packs = dict[CausalConv3d, Pack]
_LAST = torch.channels_last


class PreparedStepper:
    """The step of a network of causal convolutions, over states that it owns, one for each row.

    Rows are taken one after the other: kernels for several round otherwise than those for one.

    Args:
        network: a recurrence with ``flattened``, such as a ``Serial``; its weights are
            those of this moment.
        state: to begin from; copied.

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
        packs: Packs = {}
        count = max((len(leaf) for leaf in leaves(state)), default=1)
        self._states = [map_leaves(partial(_own, number=n), state) for n in range(count)]
        self._rows = [_prepare(flatten(network, own), packs) for own in self._states]
        self._convolutions = [[*_convolutions(row)] for row in self._rows]

    @property
    def state(self) -> Any:
        """As it stands, of all rows: a copy."""
        for convolution in chain.from_iterable(self._convolutions):
            convolution.settle()
        return map_leaves(lambda *rows: torch.cat(rows), *self._states)

    def put(self, state: Any) -> None:
        """Go on from another state, which is copied."""
        self._put_rows(range(len(self._states)), state)

    def __call__(self, x_t: Tensor) -> Tensor:
        """Take the next frame of every row, and return what the step gives."""
        if len(self._rows) == 1:
            return self._advance(0, x_t)
        return torch.cat([self._advance(n, row) for n, row in enumerate(x_t.split(1))])

    def take_rows(self, x_t: Tensor, rows: Sequence[int], state: Any) -> Tensor:
        """Take a frame of some rows alone, from a state of theirs."""
        self._put_rows(rows, state)
        return torch.cat([self._advance(n, row) for n, row in zip(rows, x_t.split(1), strict=True)])

    def _advance(self, row: int, x_t: Tensor) -> Tensor:
        if x_t.ndim == 4:  # a convolution may keep it, and it is the caller's to write over
            x_t = x_t.clone(memory_format=_LAST)
        for call in self._rows[row]:
            x_t = call(x_t)
        return x_t

    def _put_rows(self, rows: Sequence[int], state: Any) -> None:
        for place, row in enumerate(rows):
            map_leaves(partial(_copy_row, place), self._states[row], state)
            for convolution in self._convolutions[row]:
                convolution.begin()


def _copy_row(place: int, own: Tensor, state: Tensor) -> Tensor:
    return own.copy_(state[place : place + 1])


def flatten(layer: Recurrence[Any, Any, Any, Any], state: Any) -> list[Layer]:
    """Return the layers that run one after the other, each with its state."""
    flattened = getattr(layer, "flattened", None)
    if flattened is not None:
        return [inner for part in flattened(state) for inner in flatten(*part)]
    return [(layer, state)]


def _own(leaf: Tensor, number: int) -> Tensor:
    """Copy a row of a leaf; frames ``[1, P, C, H, W]`` with their channels last in memory."""
    leaf = leaf[number : number + 1]
    if leaf.ndim != 5:
        return leaf.clone()
    return leaf.movedim(2, -1).clone(memory_format=torch.contiguous_format).movedim(-1, 2)


def _prepare(layers: list[Layer], packs: Packs) -> list[Callable[[Tensor], Tensor]]:
    calls: list[Callable[[Tensor], Tensor]] = []
    place = 0
    while place < len(layers):
        layer, state = layers[place]
        rest = [following for following, _ in layers[place + 1 :]]
        if isinstance(layer, CausalConv3d):
            norm = rest[0] if rest and isinstance(rest[0], BatchNorm) else None
            rectifies = _is_relu(rest, 0 if norm is None else 1)
            calls.append(_Convolution(layer, norm, state, packs, rectifies=rectifies))
            place += (norm is not None) + rectifies
        elif hasattr(layer, "branches"):
            rectifies = _is_relu(rest, 0)
            calls.append(_Branches(layer, state, packs, rectifies=rectifies))
            place += rectifies
        else:
            calls.append(_other(layer, state))
        place += 1
    return calls


def _convolutions(calls: list[Callable[[Tensor], Tensor]]) -> Iterator["_Convolution"]:
    for call in calls:
        if isinstance(call, _Convolution):
            yield call
        elif isinstance(call, _Branches):
            yield from _convolutions([*call.main, *call.around])
            if call.last is not None:
                yield call.last


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

    def __init__(self, layer: Any, state: Any, packs: Packs, *, rectifies: bool) -> None:
        main, around, inner = layer.branches(state)
        self.main = _prepare([part for pair in main for part in flatten(*pair)], packs)
        self.around = _prepare([part for pair in around for part in flatten(*pair)], packs)
        self.rectifies = rectifies or inner
        # What a convolution of the first way keeps must not be written over by the second.
        self.writes = any(not isinstance(call, _Convolution) for call in self.around)
        last = self.main[-1]
        self.last = last if isinstance(last, _Convolution) and not last.rectifies else None
        if self.last is not None:
            self.main.pop()
            self.last.rectifies = self.rectifies

    def __call__(self, x: Tensor) -> Tensor:
        y = x
        for call in self.main:
            y = call(y)
        if self.writes:
            x = x.clone()
        for call in self.around:
            x = call(x)
        if self.last is not None:
            return self.last(y, x)
        return torch.relu_(y + x) if self.rectifies else y + x


class _Convolution:
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
    ) -> None:
        if conv.groups > 1 and not conv.groups == conv.in_channels == conv.out_channels:
            raise UnplannableError("it has groups of several channels")
        self.conv = conv
        self.rectifies = rectifies
        self.state = state
        self.begin()
        self.is_depthwise = conv.groups > 1
        self.is_pointwise = conv.kernel_size[1:] == (1, 1) and conv.spatial_padding == (0, 0)
        self.native = native.available() is not None
        if conv not in packs:  # rows share them
            packs[conv] = self._pack(norm, state.frames.shape)
        self.weights, self.bias = packs[conv]
        self.product: PointwiseProduct | None = None  # with the first frame
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
        x = x.contiguous(memory_format=_LAST)
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
            other = other.contiguous(memory_format=_LAST)
        if self.product is None:
            self.product = PointwiseProduct(
                self.weights[0],
                self.bias,
                taps.shape[0] * taps.shape[2] * taps.shape[3],
                adds=other is not None,
                rectifies=self.rectifies,
            )
        return self.product(taps, other), True

    def _seen(self, x: Tensor) -> list[Tensor]:
        """Return what the taps meet, the newest last: of one place, at the places of y alone."""
        frames, stride = [*self.taps, x], self.conv.spatial_stride
        if not self.is_pointwise or stride == 1:
            return frames
        return [frame[:, :, ::stride, ::stride] for frame in frames]

    def _side_by_side(self, x: Tensor) -> Tensor:
        frames = self._seen(x)
        taps = frames[0] if len(frames) == 1 else torch.cat(frames, dim=1)
        return taps.contiguous(memory_format=_LAST)

    def _multiply(self, x: Tensor) -> Tensor:
        taps = self._side_by_side(x)
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
