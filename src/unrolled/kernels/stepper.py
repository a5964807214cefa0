"""Steppers: one step at a time in one native call, on buffers and packed weights that stay."""

from collections.abc import Sequence

import torch
from torch import Tensor

from unrolled.kernels import native
from unrolled.kernels.core import Core
from unrolled.kernels.lifting import Reach, lift
from unrolled.kernels.loop import Buffers
from unrolled.kernels.ragged import Rows
from unrolled.kernels.trace import (
    Part,
    Recipe,
    Trace,
    UnplannableError,
    given_arguments,
    static_arguments,
)


class Whole:
    """A step as one program, in which nothing is computed ahead.

    Args:
        traced: the step.

    Raises:
        UnplannableError: something in the step has no place in a program.
    """

    def __init__(self, traced: Trace) -> None:
        self.trace = traced
        self.lifted = lift(traced, Reach.WHOLE)
        if any(node.operation and node.part is Part.INPUT for node in self.lifted.inputs):
            raise UnplannableError("what it makes of x has no place in a program")
        self.core = Core(self.lifted, alone=True)


class Stepper:
    """A step over a state that it owns; the weights are those of the moment it was made.

    Args:
        whole: the step.
        states: leaves of the state ``[B, n]``; copied.
        statics: the tensors that the step may use besides.
        given: leaves ``[B, ...]`` of what is the same at every step.

    Attributes:
        states: the state as it stands, written over by every step.
    """

    def __init__(
        self,
        whole: Whole,
        states: Sequence[Tensor],
        statics: Sequence[Tensor],
        given: Sequence[Tensor] = (),
    ) -> None:
        lifted, core = whole.lifted, whole.core
        run = core.in_place
        known = static_arguments(whole.trace, statics) | given_arguments(whole.trace, given)
        vectors = [lifted.vectors[number] for number in core.vectors]
        constant = [lifted.inputs[n] for n in core.inputs if lifted.inputs[n].part is Part.GIVEN]
        wanted = [node for node, _ in vectors] + lifted.matrices + constant
        Recipe(wanted, known).run(known, len(states[0]))
        buffers = Buffers(run.program, Rows((len(states[0]),)), states[0])
        self.states = [buffers.states(run, n, state) for n, state in enumerate(states)]
        self._places = run.states
        for number, (node, width) in zip(core.vectors, vectors, strict=True):
            buffers.put(run.vectors[number], known[node].reshape(-1).expand(width).contiguous())
        for number in core.inputs:
            if (node := lifted.inputs[number]).part is Part.GIVEN:
                buffers.put(run.inputs[number], known[node].detach().contiguous())
        buffers.make_rest()
        matrices = [known[node] for node in lifted.matrices]
        # A frame's own leaf, by number; a leaf that the step does not use is not looked at.
        self._inputs = [
            (lifted.inputs[number].number, place, buffers.whole(place))
            for number in core.inputs
            if (place := run.inputs[number]) is not None and lifted.inputs[number] not in constant
        ]
        self._emitted = [
            (number, buffers.whole(number)) for number in run.emitted if number is not None
        ]
        packed = native.pack(run.program, matrices)
        self._run = native.prepare(
            run.program, packed, buffers.tensors, (len(states[0]),), _threads(matrices)
        )

    def step(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Take the leaves of a frame ``[B, n]``, and return those of the output."""
        for number, place, buffer in self._inputs:
            leaf = inputs[number]
            self._run.put(place, leaf if _lies_like(leaf, buffer) else buffer.copy_(leaf.detach()))
        emitted = []
        for place, buffer in self._emitted:
            emitted.append(torch.empty_like(buffer))
            self._run.put(place, emitted[-1])
        self._run()
        return emitted

    def take(self, states: Sequence[Tensor]) -> None:
        """Go on from other states, in the place of its own where they lie like them."""
        apart = len({state.data_ptr() for state in states}) == len(states)
        for number, (place, state) in enumerate(zip(self._places, states, strict=True)):
            if apart and _lies_like(state, self.states[number]):
                self._run.put(place, state)
                self.states[number] = state
            else:
                self.states[number].copy_(state)


def _lies_like(leaf: Tensor, buffer: Tensor) -> bool:
    """Tell whether a tensor can be read in the place of a buffer."""
    return (
        leaf.is_contiguous()
        and leaf.dtype is torch.float32
        and leaf.is_cpu
        and leaf.numel() == buffer.numel()
    )


def _threads(matrices: list[Tensor]) -> int:
    """Return how many threads one step is worth: waking one costs as much as a small product."""
    large = sum(matrix.numel() for matrix in matrices) > 1 << 17
    return torch.get_num_threads() if large else 1
