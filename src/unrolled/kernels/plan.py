"""Plans: a step, traced once, run over whole sequences.

What depends on x alone is computed for all steps at once, the core step by step, and what follows
from it for all steps at once again. Gradients of the first and the last are torch's own. Where
the weights are few, products with x belong to the core.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.kernels import naive
from unrolled.kernels.core import Core
from unrolled.kernels.graph import Leaf, in_order
from unrolled.kernels.lifting import Lifted, Reach, lift
from unrolled.kernels.loop import Execute, Given, run_core
from unrolled.kernels.ragged import Rows
from unrolled.kernels.rows import require_apart
from unrolled.kernels.stepper import Whole
from unrolled.kernels.trace import (
    Node,
    Part,
    Recipe,
    Step,
    Trace,
    arguments_of,
    given_arguments,
    static_arguments,
    trace,
)

_aten = torch.ops.aten


_KNOWN = (Part.STATIC, Part.INPUT)
# Of all products of a step: 0.4 MB, of a second cache of 1 to 2 MB. With a third more, a batch of
# one row, for which each step reads all of them, loses a tenth, and with one product a third.
CACHED_WEIGHTS = 100_000


class _Parts(NamedTuple):
    """What a core stands on, and how that and what follows from the core is computed.

    Args:
        inputs: by input that the core uses.
        vectors: by vector that the core uses, with the width wanted.
        matrices: by matrix; of what is just transposed, what it is the transpose of.
        turned: by matrix, whether that is so.
        before: computes these.
        after: computes the outputs.
    """

    inputs: list[Node]
    vectors: list[tuple[Node, int]]
    matrices: list[Node]
    turned: list[bool]
    before: Recipe
    after: Recipe


class Plan:
    """A step in three parts: before, in, and after the loop.

    Args:
        step: from the leaves of x_t and of the state to those of y_t and of the state.
        inputs: leaves like those of x_t, of any batch size.
        states: leaves like those of the state.
        statics: every tensor that the step may use besides.
        num_given: how many leaves of x, the last ones, do not change from step to step; what
            follows from them alone is computed once for a row.
        cached_weights: how many the cache keeps from step to step.

    Raises:
        UnplannableError: with the reason.
    """

    def __init__(
        self,
        step: Step,
        inputs: Sequence[Tensor],
        states: Sequence[Tensor],
        statics: Sequence[Tensor],
        num_given: int = 0,
        cached_weights: int = CACHED_WEIGHTS,
    ) -> None:
        self.trace: Trace = trace(step, inputs, states, statics, num_given)
        self.lifted = _lifted(self.trace, cached_weights)
        self.core = Core(self.lifted)
        self.num_given = num_given
        self._check_rows()

    @cached_property
    def whole(self) -> Whole:
        """The step for one call at a time; UnplannableError says why there is none."""
        return Whole(self.trace)

    def _check_rows(self) -> None:
        """Check all that is computed for the rows of all steps at once."""
        before = [self.lifted.inputs[number] for number in self.core.inputs]
        known = set(self.lifted.emitted_nodes)
        todo, seen = [*before, *self.trace.outputs], set()
        while todo:
            node = todo.pop()
            if node in seen or node in known or node.part is Part.STATIC:
                continue
            seen.add(node)
            require_apart(node)
            todo += arguments_of(node)

    @cached_property
    def _parts(self) -> "_Parts":
        lifted, core = self.lifted, self.core
        inputs = [lifted.inputs[number] for number in core.inputs]
        vectors = [lifted.vectors[number] for number in core.vectors]
        turned = [node.operation is _aten.t.default for node in lifted.matrices]
        matrices = [
            node.arguments[0] if is_turned else node
            for node, is_turned in zip(lifted.matrices, turned, strict=True)
        ]
        wanted = [*inputs, *(node for node, _ in vectors), *matrices]
        known = {node for part in _KNOWN for node in self.trace.arguments[part]} | {*self._given}
        before = Recipe(wanted, known)
        after = Recipe(self.trace.outputs, before.reached | {*lifted.emitted_nodes})
        return _Parts(inputs, vectors, matrices, turned, before, after)

    @cached_property
    def _given(self) -> list[Node]:
        """What the rest stands on of all that follows from what is given."""
        todo = [*self.trace.outputs, *(self.lifted.inputs[number] for number in self.core.inputs)]
        seen: set[Node] = set()
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo += [] if node.part is Part.GIVEN else arguments_of(node)
        return [node for node in seen if node.part is Part.GIVEN]

    @cached_property
    def _from_given(self) -> Recipe:
        arguments = self.trace.arguments
        return Recipe(self._given, [*arguments[Part.STATIC], *arguments[Part.GIVEN]])

    def run(
        self,
        inputs: Sequence[Tensor],
        states: Sequence[Tensor],
        statics: Sequence[Tensor],
        rows: Rows,
        execute: Execute = naive.run,
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Run over sequences.

        Args:
            inputs: leaves of x ``[rows.total, ...]``, the active rows of one step after the other;
                those that do not change ``[rows.batch_size, ...]``.
            states: leaves of the first state ``[rows.batch_size, ...]``.
            statics: as at the beginning, with the values of today.
            rows: which rows are active when.
            execute: runs the programs.

        Returns:
            The leaves of y ``[rows.total, ...]`` and of the last state.
        """
        known = static_arguments(self.trace, statics)
        if self.num_given:
            known.update(self._spread(inputs[-self.num_given :], known, rows))
        frame = inputs[: len(inputs) - self.num_given]
        known.update(zip(self.trace.arguments[Part.INPUT], frame, strict=True))
        parts = self._parts
        parts.before.run(known, rows.total)
        given = Given(
            [known[node].contiguous() for node in parts.inputs],
            list(states),
            [_as_vector(known[node], width) for node, width in parts.vectors],
            [known[node] for node in parts.matrices],
            parts.turned,
        )
        emitted, after = run_core(self.core, rows, execute, given)
        known.update(zip(self.lifted.emitted_nodes, emitted, strict=True))
        parts.after.run(known, rows.total)
        return [known[node] for node in self.trace.outputs], after

    def _spread(
        self, given: Sequence[Tensor], statics: dict[Node, Tensor], rows: Rows
    ) -> dict[Node, Tensor]:
        """Return for the rows of all steps what follows from what is given, computed once a row."""
        known = {**statics, **given_arguments(self.trace, given)}
        self._from_given.run(known, rows.batch_size)
        return {node: rows.spread(known[node]) for node in self._given}


def _lifted(traced: Trace, cached_weights: int) -> Lifted:
    """Take products with x into the loop if the cache keeps the weights of all products.

    What they give is then used at once; before the loop it would go through memory for all steps.
    Sizes of a batch do not count, so that a row gives what it gives whatever is beside it.
    """
    lifted = lift(traced, Reach.PRODUCTS)
    values = in_order([*lifted.states, *lifted.emitted])
    weights = sum(v.args[0].width * v.width for v in values if v.kind is Leaf.PRODUCT)
    return lifted if weights <= cached_weights else lift(traced)


def _as_vector(tensor: Tensor, width: int) -> Tensor:
    """Return a parameter that is the same in every row as ``[width]``."""
    return tensor if tensor.shape == (width,) else tensor.reshape(-1).expand(width)
