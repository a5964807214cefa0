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

from unrolled.kernels.trace import UnplannableError
from unrolled.layers.batch_norm import BatchNorm
from unrolled.layers.causal_conv3d import CausalConv3d
from unrolled.layers.per_frame import PerFrame
from unrolled.layers.prepared_convolution import (
    LAST,
    Activation,
    Packs,
    PreparedConvolution,
    has_packed_convolutions,
    takes_activation,
)
from unrolled.layers.squeeze_excitation import SqueezeExcitation
from unrolled.recurrence import Recurrence
from unrolled.state import leaves, map_leaves

Layer = tuple[Recurrence[Any, Any, Any, Any], Any]  # and the state that it owns
Call = Callable[[Tensor], Tensor]


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
        if not has_packed_convolutions():
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

    def take(self, state: Any) -> None:
        """Go on from another state; its frames are in their places only when they are copied."""
        self.put(state)

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
            x_t = x_t.clone(memory_format=LAST)
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


def _prepare(layers: list[Layer], packs: Packs) -> list[Call]:
    calls: list[Call] = []
    place = 0
    while place < len(layers):
        activation = None
        if calls and isinstance(calls[-1], PreparedConvolution):  # whose y is nobody else's
            activation, length = _activation(layers[place:])
            place += length
        layer, state = layers[place]
        rest = [following for following, _ in layers[place + 1 :]]
        if isinstance(layer, CausalConv3d):
            norm = rest[0] if rest and isinstance(rest[0], BatchNorm) else None
            rectifies = isinstance(_module(rest, 0 if norm is None else 1), nn.ReLU)
            calls.append(
                PreparedConvolution(
                    layer, norm, state, packs, rectifies=rectifies, activation=activation
                )
            )
            place += (norm is not None) + rectifies
        elif hasattr(layer, "branches"):
            rectifies = isinstance(_module(rest, 0), nn.ReLU)
            calls.append(_Branches(layer, state, packs, rectifies=rectifies))
            place += rectifies
        else:
            calls.append(_other(layer, state))
        place += 1
    return calls


def _activation(layers: list[Layer]) -> tuple[Activation | None, int]:
    """Return what a convolution can do to its input first, and how many layers that is."""
    parts = [layer for layer, _ in layers[:3]]
    first = _module(parts, 0)
    excitation = first if isinstance(first, SqueezeExcitation) else None
    length = 0 if excitation is None else 1
    swishes = isinstance(_module(parts, length), nn.SiLU)
    length += swishes
    following = parts[length] if length < len(parts) else None
    if not length or not isinstance(following, CausalConv3d) or not takes_activation(following):
        return None, 0
    return Activation(excitation, swishes), length


def _convolutions(calls: list[Call]) -> Iterator[PreparedConvolution]:
    for call in calls:
        if isinstance(call, PreparedConvolution):
            yield call
        elif isinstance(call, _Branches):
            yield from _convolutions([*call.main, *call.around])
            if call.last is not None:
                yield call.last


def _module(layers: list[Recurrence[Any, Any, Any, Any]], place: int) -> nn.Module | None:
    layer = layers[place] if place < len(layers) else None
    return layer.module if isinstance(layer, PerFrame) else None


def _other(layer: Recurrence[Any, Any, Any, Any], state: Any) -> Call:
    """Run any other layer by its own step, its state written back to where it is owned."""
    if isinstance(layer, PerFrame):
        return cast(Call, layer.module)

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
        self.writes = any(not isinstance(call, PreparedConvolution) for call in self.around)
        last = self.main[-1]
        self.last = last if isinstance(last, PreparedConvolution) and not last.rectifies else None
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
