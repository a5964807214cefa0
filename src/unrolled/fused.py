"""Fused recurrence: any cell's own step, traced once and run at the speed of a kernel.

A module whose step can be planned runs natively over whole sequences; every other runs in the
ordinary loop, and ``answers`` says why.
"""

import warnings
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from unrolled.kernels import native, stepper
from unrolled.kernels.difference import difference_of
from unrolled.kernels.glance import guarded
from unrolled.kernels.guards import Guarded
from unrolled.kernels.naive import Stretches
from unrolled.kernels.plan import Plan
from unrolled.kernels.program import Program
from unrolled.kernels.ragged import Rows, stretches, take
from unrolled.kernels.trace import UnplannableError
from unrolled.state import Tree, leaves, map_leaves, named_leaves, time_slice

_KEPT = 8  # plans of one module
_TOLERANCE = 1e-3  # relative; a wrong plan is wrong by far more, and rounding by far less

StepFunction = Callable[[Any, Any], tuple[Any, Any]]


class Given(NamedTuple):
    """A frame, and for each of its rows the row of the bound context, the same at every step."""

    x: Tree
    context: Tree


class Planned(NamedTuple):
    """A plan of a module's step.

    Args:
        plan: over the leaves of x_t, of the state and of y_t.
        output: a y_t, for its structure.
        statics: the parameters and buffers of the module, as they are now.
    """

    plan: Plan
    output: Tree
    statics: list[Tensor]


_plans: "WeakKeyDictionary[nn.Module, dict[Hashable, tuple[Plan, Tree] | str]]" = (
    WeakKeyDictionary()
)


# Of every module that was asked for a plan, the last answer; `unrolled inspect` tells it.
_answers: "WeakKeyDictionary[nn.Module, Planned | str]" = WeakKeyDictionary()


def refuse(module: nn.Module, reason: str) -> str:
    """Note why a module has no plan, and return it."""
    _answers[module] = reason
    return reason


def share_plans(copied: nn.Module, module: nn.Module) -> None:
    """Let a copy that shares every tensor with ``module`` use its plans, and leave it its own."""
    _plans[copied] = _plans.setdefault(module, {})


def answers(module: nn.Module) -> dict[str, str]:
    """Return, by the path of each module within, how it ran last: its plan, or why it has none."""
    return {
        path: answer if isinstance(answer, str) else f"planned: {answer.plan.core.describe()}"
        for path, inner in module.named_modules()
        if (answer := _answers.get(inner)) is not None
    }


def plan_for(
    module: nn.Module,
    step: StepFunction,
    x: Tree,
    state: Tree,
    *,
    compiling: bool = False,
    check: StepFunction | None = None,
) -> Planned | str:
    """Return the plan for a module as it is now, made if need be, or the reason why there is none.

    Args:
        module: whose step it is.
        step: from ``x_t [B, ...]`` and a state to y_t and the next state.
        x: leaves ``[B, T, ...]``; of a stride, ``[B, T / stride, stride, ...]``.
        state: leaves ``[B, ...]``.
        compiling: the compiler asks, for an operation of its graph; the plan does not run now.
        check: where rows share a context row: the step in which every two rows do.
    """
    mode = _unfit_mode() if compiling else unfit_now()
    answer = mode or _unfit(x, state) or _find(module, step, x, state, check)
    _answers[module] = answer
    return answer


def _find(
    module: nn.Module, step: StepFunction, x: Tree, state: Tree, check: StepFunction | None
) -> Planned | str:
    now = guarded(module)
    if now.refusal is not None:
        return now.refusal
    looks = tuple((name, leaf.shape[2:], leaf.dtype) for name, leaf in named_leaves(x).items())
    sizes = tuple((name, leaf.shape[1:]) for name, leaf in named_leaves(state).items())
    key = (now.key, looks, sizes, torch.is_inference_mode_enabled(), check is not None)
    plans = _plans.setdefault(module, {})
    found = plans.get(key)
    if found is None:
        while len(plans) >= _KEPT:
            plans.pop(next(iter(plans)), None)  # another thread may have been faster
        found = plans[key] = _make(module, step, x, state, now, check)
    return found if isinstance(found, str) else Planned(*found, now.statics)


def _unfit(x: Tree, state: Tree) -> str | None:
    """Return why a call is none for a plan, whatever the module."""
    inputs, states = leaves(x), leaves(state)
    if not states:
        return "it has no state"
    for leaf in states:
        if leaf.dtype is not torch.float32 or leaf.ndim != 2:
            return f"a leaf of its state is {leaf.dtype} {list(leaf.shape)}, not float32 [B, n]"
    for leaf in (*inputs, *states):
        if not leaf.is_cpu:
            return f"it runs on {leaf.device.type}"
        if type(leaf) is not Tensor and type(leaf) is not nn.Parameter:
            return f"an argument is a {type(leaf).__name__}"
    if any(leaf.dtype is not torch.float32 and leaf.is_floating_point() for leaf in inputs):
        return "x is not float32"
    return None


def unfit_now() -> str | None:
    """Return why no plan at all may run in torch's mode of the moment, or None."""
    if torch.compiler.is_compiling():
        return "it is being compiled"  # first: the compiler reads no further
    return _unfit_mode()


def _unfit_mode() -> str | None:
    if native.available() is None:
        return "there is no native library"
    if torch.is_autocast_enabled("cpu"):
        return "autocast is on"
    if torch._C._get_tracing_state() is not None:
        return "it is being traced"
    if under_transform():
        return "it runs under a function transform"
    if torch.autograd.forward_ad._current_level >= 0:
        return "it is differentiated forwards"
    if torch._C._len_torch_dispatch_stack() or torch._C._is_torch_function_mode_enabled():
        return "it runs under a dispatch mode"
    return None


def under_transform() -> bool:
    """Tell whether a transform of torch.func, such as vmap, is at work."""
    return torch._C._functorch.peek_interpreter_stack() is not None


def _make(
    module: nn.Module,
    step: StepFunction,
    x: Tree,
    state: Tree,
    now: Guarded,
    check: StepFunction | None,
) -> tuple[Plan, Tree] | str:
    output: list[Tree] = []

    def on_leaves(
        inputs: list[Tensor], states: list[Tensor], step: StepFunction = step
    ) -> tuple[list[Tensor], list[Tensor]]:
        y_t, after = step(like(x, inputs), like(state, states))
        output[:] = [y_t]
        if list(named_leaves(after)) != list(named_leaves(state)):
            raise UnplannableError("it returns a state of another structure")
        return leaves(y_t), leaves(after)

    checked = partial(on_leaves, step=check or step)
    # The caller's own hooks, as of checkpoint, count what a step saves, and not what a check does.
    unhooked = torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t)
    # A step that draws numbers is found out by drawing some; the user's generator is put back.
    undrawn = torch.random.fork_rng(devices=[])
    try:
        with unhooked, undrawn:
            first = [leaf[:, 0] for leaf in leaves(x)]
            num_given = len(leaves(x.context)) if isinstance(x, Given) else 0
            plan = Plan(on_leaves, first, leaves(state), now.statics, num_given)
            difference = difference_of(
                plan, checked, leaves(x), leaves(state), now.statics, execute, check is not None
            )
    except UnplannableError as error:
        return str(error)
    except Exception as error:  # of the step or of the planner: the loop is always right
        return f"{type(error).__name__}: {error}"
    if difference > _TOLERANCE:
        reason = f"the plan of {type(module).__name__} differs from its step by {difference:.1e}"
        warnings.warn(f"{reason}; the ordinary loop is used", stacklevel=2)
        return reason
    return plan, map_leaves(torch.Tensor.detach, output[0])


def execute(
    program: Program,
    tensors: Sequence[Tensor | None],
    matrices: Sequence[Tensor],
    counts: Sequence[int],
) -> None:
    """Run a program natively; weights are packed anew, since nothing tells when they change."""
    native.run(program, native.pack(program, matrices), tensors, counts)


def scan(planned: Planned, x: Tree, state: Tree) -> tuple[Any, Any]:
    """Run a plan over a chunk ``[B, T, ...]``, all rows equally long."""
    batch_size, num_steps = leaves(x)[0].shape[:2]
    x, given = _apart(x)
    inputs = [_by_step(leaf) for leaf in leaves(x)] + given
    rows = Rows((batch_size,) * num_steps)
    ys, after = planned.plan.run(inputs, leaves(state), planned.statics, rows, execute)
    return like(planned.output, [_by_row(y, batch_size) for y in ys]), like(state, after)


def ragged_scan(
    planned: Planned,
    x: Tree,
    state: Tree,
    fresh: Callable[[], Tree],
    lengths: Tensor,
    reset: Tensor,
) -> tuple[Any, Any]:
    """Run a plan over the steps that happened: every stretch between resets is a row of its own.

    Args:
        planned: the plan.
        x: leaves ``[B, T, ...]``.
        state: leaves ``[B, ...]``.
        fresh: makes the state from which rows begin anew.
        lengths: ``[B]``.
        reset: ``[B, T]``.
    """
    batch_size, num_steps = reset.shape
    found = stretches(lengths, reset)
    if not found.counts:
        empty = [
            leaf.new_zeros(batch_size, num_steps, *leaf.shape[1:])
            for leaf in leaves(planned.output)
        ]
        return like(planned.output, empty), state
    rows = Rows(found.counts)
    row = found.row
    one_for_each = len(row) == batch_size and not found.without
    if one_for_each and rows.is_even and not found.anew:
        return _cut_scan(planned, x, state, len(rows.counts))
    first = [leaf.index_select(0, row) for leaf in leaves(state)]
    if found.anew:
        begin = [leaf.index_select(0, row) for leaf in leaves(fresh())]
        chosen = found.begins_anew[:, None]
        first = [torch.where(chosen, *pair) for pair in zip(begin, first, strict=True)]
    x, given = _apart(x)
    inputs = [take(leaf.flatten(0, 1), found.places, found.inverse) for leaf in leaves(x)]
    inputs += [leaf.index_select(0, row) for leaf in given]
    ys, after = planned.plan.run(inputs, first, planned.statics, rows, execute)
    ys = [
        take(y, found.inverse, found.places).view(batch_size, num_steps, *y.shape[1:]) for y in ys
    ]
    return like(planned.output, ys), like(state, _ends(leaves(state), after, found))


def _ends(before: list[Tensor], after: list[Tensor], found: Stretches) -> list[Tensor]:
    """Return the state of every row after its last stretch, or as it was if it has none."""
    home = found.home
    if not found.without:
        return [leaf.index_select(0, home) for leaf in after]
    ended = [leaf.index_select(0, home.clamp(min=0)) for leaf in after]
    happened = (home >= 0)[:, None]
    return [torch.where(happened, *pair) for pair in zip(ended, before, strict=True)]


def _by_step(leaf: Tensor) -> Tensor:
    """Return ``[B, T, ...]`` as the rows of one step after the other, ``[T B, ...]``."""
    return leaf.squeeze(0) if len(leaf) == 1 else leaf.transpose(0, 1).flatten(0, 1)


def _by_row(y: Tensor, batch_size: int) -> Tensor:
    """Undo ``_by_step``."""
    if batch_size == 1:
        return y.unsqueeze(0)
    return y.view(-1, batch_size, *y.shape[1:]).transpose(0, 1)


def _cut_scan(planned: Planned, x: Tree, state: Tree, length: int) -> tuple[Any, Any]:
    """Run a plan over the first steps of rows that are all as long; y is 0 past them."""
    past = leaves(x)[0].shape[1] - length
    y, after = scan(planned, time_slice(x, 0, length), state)

    def padded(leaf: Tensor) -> Tensor:
        return torch.cat([leaf, leaf.new_zeros(len(leaf), past, *leaf.shape[2:])], dim=1)

    return map_leaves(padded, y) if past else y, after


def _apart(x: Tree) -> tuple[Tree, list[Tensor]]:
    """Return what changes from step to step, and the leaves ``[B, ...]`` of what does not."""
    if isinstance(x, Given):
        return x.x, [leaf[:, 0] for leaf in leaves(x.context)]
    return x, []


def like(template: Tree, tensors: list[Tensor]) -> Tree:
    """Return the tensors as a tree like the template."""
    following = iter(tensors)
    return map_leaves(lambda _: next(following), template)


@runtime_checkable
class Stepping(Protocol):
    """One step of a module as a call, over a state that it owns and writes over."""

    @property
    def state(self) -> Any:
        """As it stands."""

    def put(self, state: Any) -> None:
        """Go on from another state, which is copied."""

    def take(self, state: Any) -> None:
        """Go on from another state, which it may write over."""

    def __call__(self, x_t: Any) -> Any:
        """Take the next frame, and return what the step gives."""


class Stepper:
    """A module's step in one native call, over a state that it owns.

    Args:
        module: whose step it is; its weights are those of this moment.
        step: from a frame ``[B, ...]`` and a state to y_t and the next state.
        x: leaves ``[B, 1, ...]``, a frame; rows of a context stay as they are for all frames.
        state: to begin from; copied.
        check: see ``plan_for``.

    Attributes:
        state: as it stands; its leaves are written over by every step.

    Raises:
        UnplannableError: with the reason.
    """

    def __init__(
        self,
        module: nn.Module,
        step: StepFunction,
        x: Tree,
        state: Tree,
        check: StepFunction | None = None,
    ) -> None:
        planned = plan_for(module, step, x, state, check=check)
        if isinstance(planned, str):
            raise UnplannableError(planned)
        self._output = planned.output
        given = _apart(x)[1]
        self._stepper = stepper.Stepper(planned.plan.whole, leaves(state), planned.statics, given)
        self.state = like(state, self._stepper.states)

    def __call__(self, x_t: Tree) -> Any:
        """Take the next frame, and return what the step gives."""
        emitted = self._stepper.step([x_t] if isinstance(x_t, Tensor) else leaves(x_t))
        return emitted[0] if isinstance(self._output, Tensor) else like(self._output, emitted)

    def put(self, state: Tree) -> None:
        """Go on from another state, which is copied."""
        map_leaves(lambda own, other: own.copy_(other), self.state, state)

    def take(self, state: Tree) -> None:
        """Go on from another state, which it may write over."""
        self._stepper.take(leaves(state))
        self.state = like(state, self._stepper.states)
