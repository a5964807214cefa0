"""The protocol, ``h_t = f(h_{t-1}, x_t)``, and its law.

    Cutting a sequence anywhere never changes the answer.

A module that writes one ``step`` (or one parallel ``scan``) is a ``Recurrence``. Training in
chunks, streaming, ragged batches, resets and search all drive that same function.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar, Generic, Self, cast

import torch
from torch import Tensor, nn
from typing_extensions import TypeVar

from unrolled import fused
from unrolled.context import driven, rebind
from unrolled.errors import ContextError, DtypeError, ShapeError, StateError
from unrolled.kernels.trace import UnplannableError
from unrolled.state import (
    Tree,
    as_rows,
    check_rows,
    first_parameter,
    first_step,
    leaves,
    map_leaves,
    named_leaves,
    select_rows,
    time_slice,
    time_steps,
    where_rows,
)

StateT = TypeVar("StateT", bound=Tree, default=Any)
InputT = TypeVar("InputT", bound=Tree, default=Tensor)
OutputT = TypeVar("OutputT", bound=Tree, default=Tensor)
ContextT = TypeVar("ContextT", bound=Tree, default=Any)


@dataclass(frozen=True)
class Supports:
    """What a module promises beyond the law in ``eval()``: ``True``, or the reason why not.

    Args:
        training: the law holds in ``train()`` too.
        gradient: outputs are differentiable in the inputs, the state and the parameters.
    """

    training: bool | str = True
    gradient: bool | str = True

    def __and__(self, other: "Supports") -> "Supports":
        """Promise what both promise; the first reason against is kept."""
        return Supports(
            training=self.training if self.training is not True else other.training,
            gradient=self.gradient if self.gradient is not True else other.gradient,
        )


class Recurrence(nn.Module, Generic[StateT, InputT, OutputT, ContextT]):
    """A function of one step, driven over sequences.

    A subclass writes ``step`` or ``scan`` (the base derives the other) and ``initial_state`` where
    it has a state. Everything else is written once, here.

        y_t, state = step(x_t, state)                 t = 0 ... T-1

    Shapes: x and y are a tensor or a NamedTuple of tensors sharing ``[B, T, ...]``; the state is a
        tree of tensors ``[B, ...]`` of constant shape; the context a NamedTuple of ``[N, ...]``.
    Attributes:
        stride: steps of x for one step of y; ``step`` then takes a block ``[B, stride, ...]``.
        context_type: the NamedTuple that ``given`` binds, or None.
        supports: limits of this module, each with its reason.
        output_layer: name of a linear one whose output is y, or ``y.logits``, as it is.

    Example:
        >>> class Sum(Recurrence):
        ...     def initial_state(self, batch_size):
        ...         return torch.zeros(batch_size, 3)
        ...     def step(self, x_t, state):
        ...         return state + x_t, state + x_t
        >>> y, state = Sum()(torch.ones(2, 5, 3))
        >>> y.shape, state[0]
        (torch.Size([2, 5, 3]), tensor([5., 5., 5.]))
    """

    stride: int = 1
    context_type: ClassVar[type[Any] | None] = None
    supports: Supports = Supports()
    output_layer: ClassVar[str | None] = None
    _context: ContextT | None = None
    __call__: Callable[..., tuple[OutputT, StateT]]

    def __init__(self) -> None:
        super().__init__()
        cls = type(self)
        if cls.step is Recurrence.step and cls.scan is Recurrence.scan:
            raise TypeError(f"{cls.__name__} must define step(x_t, state) or scan(x, state)")

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "forward" in vars(cls):
            raise TypeError(f"{cls.__name__}: forward is final; write step or scan instead")

    # What a subclass writes

    def initial_state(self, batch_size: int) -> StateT:
        """Return the state before the first step of ``batch_size`` sequences."""
        if type(self).state_like is not Recurrence.state_like:
            raise StateError(
                f"a frame, which the size of {type(self).__name__}'s state depends on",
                f"{batch_size = } alone",
                "call state_like(x_t)",
            )
        return cast(StateT, ())

    def state_like(self, x_t: InputT) -> StateT:
        """Return the initial state for sequences that look like ``x_t [B, ...]`` (or a block)."""
        return self.initial_state(leaves(x_t)[0].shape[0])

    def step(self, x_t: InputT, state: StateT) -> tuple[OutputT, StateT]:
        """Advance by one step ``x_t [B, ...]``, or by one block ``[B, stride, ...]``."""
        x = x_t if self.stride > 1 else map_leaves(lambda leaf: leaf.unsqueeze(1), x_t)
        y, state = self.scan(x, state)
        return first_step(y), state

    def scan(self, x: InputT, state: StateT) -> tuple[OutputT, StateT]:
        """Advance over a whole chunk ``x [B, T, ...]``: natively, if ``step`` can be planned."""
        if torch.compiler.is_dynamo_compiling():
            return self._traced_scan(x, state)
        planned, frames = self._plan(x, state)
        if isinstance(planned, str):
            return self.plain_scan(x, state)
        return cast(tuple[OutputT, StateT], fused.scan(planned, frames, state))

    def plain_scan(self, x: InputT, state: StateT) -> tuple[OutputT, StateT]:
        """Do what ``scan`` does without a plan: the loop over ``step``."""
        outputs = []
        for x_t in time_steps(x, self.stride):
            y_t, state = self.step(x_t, state)
            outputs.append(y_t)
        return map_leaves(lambda *row: torch.stack(row, dim=1), *outputs), state

    def step_(self, x_t: InputT, state: StateT) -> tuple[OutputT, StateT]:
        """Do what ``step`` does, and be free to overwrite the given ``state`` (rings, buffers)."""
        return self.step(x_t, state)

    def ragged_scan(
        self, x: InputT, state: StateT, lengths: Tensor, reset: Tensor
    ) -> tuple[OutputT, StateT]:
        """Serve ``lengths [B]`` and ``reset [B, T]`` by cutting where a row ends or resets.

        The law makes this right for any module. Override it for speed, never for meaning.
        """
        planned, frames = self._plan(x, state)
        if not isinstance(planned, str):
            if self.stride > 1:
                lengths, reset = lengths // self.stride, reset[:, :: self.stride]
            fresh = partial(self._first_state, x, len(lengths))
            found = fused.ragged_scan(planned, frames, state, fresh, lengths, reset)
            return cast(tuple[OutputT, StateT], found)
        num_steps = reset.shape[1]
        alive = torch.arange(num_steps, device=reset.device) < lengths[:, None]  # [B, T]
        reset = reset & alive
        # Before the step, not after: a NaN in the padding would reach gradients through `where`.
        x = map_leaves(lambda leaf: leaf.where(as_rows(alive, leaf), leaf.new_zeros(())), x)
        begin = self._first_state(x, len(reset)) if reset.any() else state
        cuts = {0, num_steps, *lengths.tolist(), *reset.any(dim=0).nonzero().flatten().tolist()}
        bounds = sorted(cuts)
        outputs = []
        for start, stop in pairwise(bounds):
            state = where_rows(reset[:, start], begin, state)
            y, after = self.scan(time_slice(x, start, stop), state)
            running = alive[:, start]
            state = where_rows(running, after, state)
            outputs.append(where_rows(running, y, map_leaves(torch.zeros_like, y)))
        return map_leaves(lambda *pieces: torch.cat(pieces, dim=1), *outputs), state

    # What every module has

    def forward(
        self,
        x: InputT,
        state: StateT | None = None,
        *,
        lengths: Tensor | None = None,
        reset: Tensor | None = None,
    ) -> tuple[OutputT, StateT]:
        """Run a chunk of any length from ``state``, and return what the next chunk goes on from.

        Args:
            x: a tensor or a NamedTuple of tensors ``[B, T, ...]``, T a multiple of ``stride``.
            state: as returned by the chunk before; None for the initial state.
            lengths: ``[B]``; steps at and past ``lengths[b]`` did not happen: the state passes
                through and y is 0, whatever x holds there.
            reset: ``[B, T]``, bool; where true, the row starts anew *before* this step.

        Returns:
            y ``[B, T / stride, ...]`` and the state after each row's last step.

        Raises:
            ShapeError, DtypeError, StateError, ContextError: see ``unrolled.errors``.
        """
        batch_size, num_steps, state = self._begin(x, state)
        if lengths is None and reset is None:
            return self.scan(x, state)
        device = leaves(x)[0].device
        if lengths is None:
            lengths = torch.full((batch_size,), num_steps, device=device)
        if reset is None:
            reset = torch.zeros(batch_size, num_steps, dtype=torch.bool, device=device)
        _check_ragged(lengths, reset, batch_size, num_steps, self.stride)
        return self.ragged_scan(x, state, lengths.to(device), reset.to(device))

    def _begin(self, x: InputT, state: StateT | None) -> tuple[int, int, StateT]:
        """Return B, T and the state to go on from, once all of them fit together."""
        batch_size, num_steps = self._check_input(x)
        if state is None:
            state = self._first_state(x, batch_size)
        check_rows(state, batch_size)
        return batch_size, num_steps, state

    def _first_state(self, x: InputT, batch_size: int) -> StateT:
        if type(self).state_like is Recurrence.state_like:  # no need of a frame
            return self.initial_state(batch_size)
        return self.state_like(first_step(x, self.stride))

    def _traced_scan(self, x: InputT, state: StateT) -> tuple[OutputT, StateT]:
        """Do what ``scan`` does while the compiler traces: one operation, or the loop in full."""
        from unrolled import opaque  # not before: it loads torch's compiler

        in_a_loop = self._unplanned() is not None or self.has_context()
        found = None if in_a_loop else opaque.scan(self, self._in_blocks(x), state)
        return self.plain_scan(x, state) if found is None else found

    def _plan(self, x: InputT, state: StateT) -> tuple[fused.Planned | str, Tree]:
        """Return the plan of ``step``, or the reason why there is none, and what it runs on."""
        reason = self._unplanned()
        if reason is not None:
            return reason, x
        try:
            step, frames, check = driven(self, self._in_blocks(x))
        except UnplannableError as error:
            return fused.refuse(self, str(error)), x
        own = type(self).plain_scan is not Recurrence.plain_scan
        if own and isinstance(frames, fused.Given):
            return fused.refuse(self, "a context is bound, which its own plain_scan takes"), x
        return fused.plan_for(self, step, frames, state, check=check), frames

    def _unplanned(self) -> str | None:
        """Return why no plan is asked for at all, or None."""
        cls = type(self)
        if cls.step is Recurrence.step or cls.scan is not Recurrence.scan:
            return "it has no step that is looped over"
        return None

    def stepper(self, x_t: InputT, state: StateT) -> fused.Stepping:
        """Return ``step`` as one native call, for a stream of frames like ``x_t``.

        Raises:
            UnplannableError: with the reason; ``step_`` does the same.
        """
        cls = type(self)
        if cls.step is Recurrence.step or cls.step_ is not Recurrence.step_:
            raise UnplannableError("it has no step of its own, or a faster one")
        step, frames, check = driven(self, map_leaves(lambda leaf: leaf.unsqueeze(1), x_t))
        return fused.Stepper(self, step, frames, state, check=check)

    def _in_blocks(self, x: InputT) -> InputT:
        """Return x as ``[B, T / stride, stride, ...]``, or as it is if the stride is 1."""
        if self.stride == 1:
            return x
        return map_leaves(lambda leaf: leaf.unflatten(1, (-1, self.stride)), x)

    def given(self, context: ContextT) -> Self:
        """Return this module, its parameters shared, with ``context`` bound.

        The batch may be K·N: K consecutive rows of x then share one of the N context rows.
        Gradients reach whatever made the context.
        """
        kinds = {m: getattr(m, "context_type", None) for m in self.modules()}
        takers = {m for m, kind in kinds.items() if kind and isinstance(context, kind)}
        if not takers:
            names = sorted({kind.__name__ for kind in kinds.values() if kind})
            raise ContextError(
                f"a context of {type(self).__name__}: {' or '.join(names) or 'none'}",
                type(context).__name__,
            )
        return rebind(self, lambda m: context if m in takers else m._context)

    def rows(self, index: Tensor) -> Self:
        """Return this module with rows ``index [M]`` of every bound context, in that order."""
        return rebind(
            self, lambda m: m._context if m._context is None else select_rows(m._context, index)
        )

    def has_context(self) -> bool:
        """Tell whether a context is bound, here or within."""
        return any(isinstance(m, Recurrence) and m._context is not None for m in self.modules())

    @property
    def context(self) -> ContextT:
        """The bound context; ``ContextError`` when there is none."""
        if self._context is not None:
            return self._context
        if self.context_type is None:
            raise AttributeError  # torch.jit.trace asks every property whether it is there
        name = self.context_type.__name__
        raise ContextError(f"a bound {name}", "none", "call module.given(context) first")

    def zeros(self, batch_size: int, *shape: int) -> Tensor:
        """Return zeros for a leaf of the state: on the parameters' device, at least float32."""
        like = cast(Tensor, first_parameter(self))
        dtype = torch.promote_types(like.dtype, torch.float32)
        return torch.zeros(batch_size, *shape, dtype=dtype, device=like.device)

    def _check_input(self, x: InputT) -> tuple[int, int]:
        # Compared, not put in a set: torch.compile leaves sizes open that nobody hashes.
        leading = leaves(x)[0].shape[:2]
        if any(leaf.ndim < 2 or leaf.shape[:2] != leading for leaf in leaves(x)):
            got = ", ".join(f"{k or 'x'} {list(v.shape)}" for k, v in named_leaves(x).items())
            raise ShapeError("x of shape [B, T, ...], B and T the same in all its parts", got)
        batch_size, num_steps = leading
        if num_steps == 0 or num_steps % self.stride:
            raise ShapeError(
                f"T, the steps of x, to be a positive multiple of the stride {self.stride}",
                f"T={num_steps}",
                "cut chunks at multiples of the stride",
            )
        parameter = first_parameter(self)
        floats = [leaf.dtype for leaf in leaves(x) if leaf.is_floating_point()]
        if parameter is not None and floats and floats[0] != parameter.dtype:
            device_type = parameter.device.type
            if not torch.is_autocast_enabled(device_type):
                raise DtypeError(
                    f"x of {parameter.dtype}, the parameters' dtype",
                    str(floats[0]),
                    f"convert one of them, as in x.to({parameter.dtype})",
                )
        return batch_size, num_steps


RecurrenceT = TypeVar("RecurrenceT", bound=Recurrence[Any, Any, Any, Any])


def _check_ragged(
    lengths: Tensor, reset: Tensor, batch_size: int, num_steps: int, stride: int
) -> None:
    if lengths.shape != (batch_size,) or lengths.is_floating_point():
        got = f"{lengths.dtype} {list(lengths.shape)}"
        raise ShapeError(f"lengths of integers [B={batch_size}]", got)
    shortest, longest = map(int, lengths.aminmax()) if batch_size else (0, 0)
    if shortest < 0 or longest > num_steps:
        raise ShapeError(f"lengths between 0 and T={num_steps}", str(lengths.tolist()))
    if reset.shape != (batch_size, num_steps) or reset.dtype != torch.bool:
        got = f"{reset.dtype} {list(reset.shape)}"
        raise ShapeError(f"reset of bool [B={batch_size}, T={num_steps}]", got)
    if stride > 1:
        if bool((lengths % stride).any()):
            raise ShapeError(f"lengths that are multiples of {stride = }", str(lengths.tolist()))
        off = [t for t in reset.any(dim=0).nonzero().flatten().tolist() if t % stride]
        if off:
            raise ShapeError(f"resets at multiples of {stride = }", f"a reset at step {off[0]}")
