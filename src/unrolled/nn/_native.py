"""The forward that the three layers share: native where it can be, torch's own where not."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from unrolled import fused
from unrolled.kernels.ragged import Rows
from unrolled.nn._sequences import Sequences
from unrolled.nn._steps import Sizes, plan_of
from unrolled.nn._turn import Turn

_FEWEST_STEPS = 4  # below, packing the weights costs more than it saves


class Native(nn.RNNBase):
    """To be named before torch's class among the bases of a layer.

    Whatever is not plainly right for the native path, wrong arguments among it, is torch's to
    run or to refuse. Nothing is kept between calls.
    """

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Run over sequences, as torch's layer of that name does."""
        found = self._accept(input, hx)
        if found is None:
            return super().forward(input, hx)
        sequences, first = found
        y, last = self._run(sequences.data, sequences.rows, first)
        states = tuple(sequences.state_like_given(state) for state in last)
        return sequences.like_given(y), states if self.mode == "LSTM" else states[0]

    def _accept(self, given: Any, hx: Any) -> tuple[Sequences, list[Tensor]] | None:
        """Return rows and first states ``[layers, B, D]`` if the native path may run on them."""
        if fused.unfit_now() is not None:
            return None
        self._update_flat_weights()
        data = given.data if isinstance(given, PackedSequence) else given
        if not all(_is_native(tensor) for tensor in (data, *self._flat_weights)):
            return None
        shapes = [shape for sizes in self._all_sizes() for shape in sizes.weights]
        if data.shape[-1:] != (self.input_size,) or _shapes(self._flat_weights) != shapes:
            return None
        sequences = Sequences.of(given, self.batch_first)
        if sequences is None or len(sequences.rows.counts) < _FEWEST_STEPS:
            return None
        states = self._states(sequences, hx)
        return None if states is None else (sequences, states)

    def _states(self, sequences: Sequences, hx: Any) -> list[Tensor] | None:
        """Return the first states, or None if ``hx`` is not what these sequences need."""
        batch = [sequences.rows.batch_size] if sequences.batched else []
        layers = self.num_layers * self._num_directions
        shapes = [(layers, *batch, size) for size in self._sizes(0).states]
        if hx is None:
            given = [sequences.data.new_zeros(shape) for shape in shapes]
        elif self.mode == "LSTM":
            given = list(hx) if isinstance(hx, (tuple, list)) else []
        else:
            given = [hx]
        if not all(_is_native(state) for state in given) or _shapes(given) != shapes:
            return None
        return [sequences.state(state) for state in given]

    def _run(self, data: Tensor, rows: Rows, first: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Run all layers over ``data [rows.total, C]``; return y and the last states."""
        turn = Turn(rows) if self.bidirectional else None
        weights: Iterator[Any] = iter(self._flat_weights)
        before = zip(*(state.unbind(0) for state in first), strict=True)
        after = []
        for layer in range(self.num_layers):
            sizes = self._sizes(layer)
            outputs = []
            for turn_round in (None, turn)[: self._num_directions]:
                x = turn_round(data) if turn_round else data
                own = [next(weights) for _ in sizes.weights]
                (y,), last = plan_of(sizes).run([x], next(before), own, rows, fused.execute)
                outputs.append(turn_round(y) if turn_round else y)
                after.append(last)
            data = torch.cat(outputs, -1) if self.bidirectional else y
            if self.dropout and self.training and layer < self.num_layers - 1:
                data = torch.dropout(data, self.dropout, train=True)
        if data.requires_grad and not self.bidirectional:
            data = data.clone()  # y is kept for the gradient; this one the caller may overwrite
        return data, [torch.stack(states) for states in zip(*after, strict=True)]

    @property
    def _num_directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _sizes(self, layer: int) -> Sizes:
        width = (self.proj_size or self.hidden_size) * self._num_directions
        input_size = width if layer else self.input_size
        return Sizes(self.mode, input_size, self.hidden_size, self.proj_size, self.bias)

    def _all_sizes(self) -> list[Sizes]:
        """Return the sizes of every layer and direction, in the order of the weights."""
        numbers = range(self.num_layers * self._num_directions)
        return [self._sizes(number // self._num_directions) for number in numbers]

    def __prepare_scriptable__(self) -> nn.RNNBase:
        """Return torch's own layer, these parameters in it, for TorchScript to compile."""
        theirs = next(cls for cls in type(self).__mro__ if cls.__module__.startswith("torch."))
        layer: nn.RNNBase = object.__new__(theirs)
        vars(layer).update(vars(self))
        return layer


def _is_native(value: Any) -> bool:
    """Tell whether this is an ordinary float32 tensor on the CPU."""
    return (
        type(value) in (Tensor, nn.Parameter)
        and value.dtype == torch.float32
        and value.device.type == "cpu"
        and value.layout == torch.strided
    )


def _shapes(tensors: Sequence[Any]) -> list[tuple[int, ...]]:
    return [tensor.shape for tensor in tensors]
