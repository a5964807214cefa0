"""Plans: a step, traced once, run over whole sequences.

What depends on x alone is computed for all steps at once, the core step by step, and what follows
from it for all steps at once again. Gradients of the first and the last are torch's own.
"""

from collections.abc import Sequence
from functools import cached_property

from torch import Tensor

from unrolled.kernels import naive
from unrolled.kernels.core import Core
from unrolled.kernels.lifting import lift
from unrolled.kernels.loop import Execute, Given, run_core
from unrolled.kernels.ragged import Rows
from unrolled.kernels.rows import require_apart
from unrolled.kernels.stepper import Whole
from unrolled.kernels.trace import (
    Node,
    Part,
    Step,
    Trace,
    arguments_of,
    replay,
    static_arguments,
    trace,
)


class Plan:
    """A step in three parts: before, in, and after the loop.

    Args:
        step: from the leaves of x_t and of the state to those of y_t and of the state.
        inputs: leaves like those of x_t, of any batch size.
        states: leaves like those of the state.
        statics: every tensor that the step may use besides.

    Raises:
        UnplannableError: with the reason.
    """

    def __init__(
        self,
        step: Step,
        inputs: Sequence[Tensor],
        states: Sequence[Tensor],
        statics: Sequence[Tensor],
    ) -> None:
        self.trace: Trace = trace(step, inputs, states, statics)
        self.lifted = lift(self.trace)
        self.core = Core(self.lifted)
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
            inputs: leaves of x ``[rows.total, ...]``, the active rows of one step after the other.
            states: leaves of the first state ``[rows.batch_size, ...]``.
            statics: as at the beginning, with the values of today.
            rows: which rows are active when.
            execute: runs the programs.

        Returns:
            The leaves of y ``[rows.total, ...]`` and of the last state.
        """
        known = self._arguments(inputs, statics)
        lifted = self.lifted
        vectors = [lifted.vectors[number] for number in self.core.vectors]
        wanted = [lifted.inputs[number] for number in self.core.inputs]
        wanted += [node for node, _ in vectors] + lifted.matrices
        replay(wanted, known, rows.total)
        before = [known[lifted.inputs[number]].contiguous() for number in self.core.inputs]
        same = [known[node].reshape(-1).expand(width) for node, width in vectors]
        matrices = [known[node] for node in lifted.matrices]
        emitted, after = run_core(
            self.core, rows, execute, Given(before, list(states), same, matrices)
        )
        known.update(zip(lifted.emitted_nodes, emitted, strict=True))
        replay(self.trace.outputs, known, rows.total)
        return [known[node] for node in self.trace.outputs], after

    def _arguments(self, inputs: Sequence[Tensor], statics: Sequence[Tensor]) -> dict[Node, Tensor]:
        known = static_arguments(self.trace, statics)
        known.update(zip(self.trace.arguments[Part.INPUT], inputs, strict=True))
        return known
