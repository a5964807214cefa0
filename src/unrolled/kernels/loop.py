"""The loop: a core's programs run over all steps, and their gradients."""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from unrolled.kernels.core import Core, Run
from unrolled.kernels.graph import Leaf, Value
from unrolled.kernels.groups import Piece
from unrolled.kernels.program import Kind, Program
from unrolled.kernels.ragged import Rows


class Execute(Protocol):
    """Runs a program, as ``naive.run`` does."""

    def __call__(
        self,
        program: Program,
        tensors: Sequence[Tensor | None],
        matrices: Sequence[Tensor],
        counts: Sequence[int],
    ) -> None:
        """Run it over all steps, writing into the tensors."""


class Given(NamedTuple):
    """What a core is run on.

    Args:
        inputs: by input that the core uses, ``[rows.total, n]``.
        states: by leaf of the first state, ``[rows.batch_size, n]``.
        vectors: by vector that the core uses, ``[n]``.
        matrices: that products are with.
        turned: by matrix, whether products are with its transpose.
    """

    inputs: list[Tensor]
    states: list[Tensor]
    vectors: list[Tensor]
    matrices: list[Tensor]
    turned: list[bool]

    @property
    def factors(self) -> list[Tensor]:
        """The right factors of products."""
        pairs = zip(self.matrices, self.turned, strict=True)
        return [matrix.t() if turned else matrix for matrix, turned in pairs]

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All of them, in order."""
        return (*self.inputs, *self.states, *self.vectors, *self.matrices)


def run_core(
    core: Core, rows: Rows, execute: Execute, given: Given
) -> tuple[list[Tensor], list[Tensor]]:
    """Return the emitted values of all steps ``[rows.total, n]``, and the last state."""
    _keep_freed_memory()
    grad = torch.is_grad_enabled()
    results = _Loop.apply(  # type: ignore[no-untyped-call]
        core, rows, execute, given, grad, *given.tensors
    )
    return list(results[: len(core.emitted)]), list(results[len(core.emitted) :])


@cache
def _keep_freed_memory() -> None:
    """Let the C library keep what is freed, for the next call.

    By default glibc gives back what is free beyond twice the largest block that was ever freed, and
    to get it again costs up to a fifth of a training call. One block of 32 MB, never written, is
    the largest that counts.
    """
    torch.empty((32 << 20) - (64 << 10), dtype=torch.uint8)


class Buffers:
    """The tensors of a program's buffers; what is not put there is made."""

    def __init__(self, program: Program, rows: Rows, like: Tensor) -> None:
        self.program, self.rows, self.like = program, rows, like
        self.tensors: list[Tensor | None] = [None] * len(program.buffers)

    def put(self, number: int | None, tensor: Tensor | None) -> None:
        """Use a tensor as a buffer."""
        if number is not None:
            self.tensors[number] = tensor

    def states(self, run: Run, number: int, first: Tensor) -> Tensor:
        """Make room for all states, or for one that is written over; return it."""
        after = run.states[number]
        width = self.program.buffers[after].width
        if run.previous[number] is None:
            only = first.clone(memory_format=torch.contiguous_format)
            self.put(after, only)
            return only
        batch = self.rows.batch_size
        stored = self.like.new_empty(batch + self.rows.total, width)
        stored[:batch] = first
        self.put(run.previous[number], stored)
        self.put(after, stored[batch:])
        return stored

    def give(self, core: Core, run: Run, given: Given) -> None:
        """Put what was computed before the loop where it belongs."""
        for number, tensor in zip(core.inputs, given.inputs, strict=True):
            self.put(run.inputs[number], tensor)
        for number, tensor in zip(core.vectors, given.vectors, strict=True):
            self.put(run.vectors[number], tensor.contiguous())

    def make_rest(self) -> None:
        """Make the buffers that nothing was put in."""
        for number, buffer in enumerate(self.program.buffers):
            if self.tensors[number] is None:
                if buffer.kind is Kind.SEQUENCE:
                    self.put(number, self.like.new_empty(self.rows.total, buffer.width))
                elif buffer.kind is Kind.TOTAL:
                    self.put(number, self.zeros(number))

    def zeros(self, number: int) -> Tensor:
        """Return what a buffer of zeros begins as."""
        buffer = self.program.buffers[number]
        if buffer.kind is Kind.TOTAL:
            return self.like.new_zeros(buffer.width)
        count = self.rows.total if buffer.kind is Kind.SEQUENCE else self.rows.batch_size
        return self.like.new_zeros(count, buffer.width)

    def whole(self, number: int | None) -> Tensor:
        """Return the tensor of a buffer that is there."""
        assert number is not None
        tensor = self.tensors[number]
        assert tensor is not None
        return tensor

    def get(self, number: int | None) -> Tensor | None:
        """Return a buffer's tensor."""
        return None if number is None else self.tensors[number]


class _Loop(torch.autograd.Function):
    """The core over all steps, with the gradient that its own backward program computes."""

    @staticmethod
    def forward(
        ctx: Any,
        core: Core,
        rows: Rows,
        execute: Execute,
        given: Given,
        grad: bool,
        *tensors: Tensor,
    ) -> tuple[Tensor, ...]:
        training = grad and any(tensor.requires_grad for tensor in tensors)
        run = core.training if training else core.inference
        buffers = Buffers(run.program, rows, tensors[0])
        stored = [buffers.states(run, n, state) for n, state in enumerate(given.states)]
        buffers.give(core, run, given)
        buffers.make_rest()
        execute(run.program, buffers.tensors, given.factors, rows.counts)
        emitted = [buffers.whole(number) for number in run.emitted]
        after = [
            state if before is None else _last(state, rows)
            for state, before in zip(stored, run.previous, strict=True)
        ]
        if training:
            ctx.set_materialize_grads(False)
            ctx.core, ctx.rows, ctx.execute, ctx.turned = core, rows, execute, given.turned
            _keep(ctx, core, given, run, buffers, stored)
        return (*emitted, *after)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            # Here, and not when it is asked for: no graph leads from these gradients to what they
            # depend on, so that a second derivative could be 0 and nobody would notice.
            raise RuntimeError(
                "a graph of the gradients of a fused recurrence (create_graph=True): expected "
                "first derivatives only; run the module with UNROLLED_ISA=none in the "
                "environment, or in float64"
            )
        return (*(None,) * 5, *_backward(ctx, gradients))


def _backward(ctx: Any, gradients: tuple[Tensor | None, ...]) -> list[Tensor | None]:
    """Run the backward program, and return the gradients of all that the core was given."""
    core, rows = ctx.core, ctx.rows
    asked = zip(core.inputs, ctx.needs_input_grad[5:], strict=False)
    run = core.backward([number for number, needed in asked if needed])
    given, states, groups, saved = _kept(ctx)
    buffers = Buffers(run.program, rows, states[0])
    for number, state in enumerate(states):
        buffers.put(run.previous[number], state)
    buffers.give(core, run, given)
    buffers.put(run.saved, saved)
    for place, group in zip(run.products, groups, strict=True):
        buffers.put(place, group)
    own = len(run.emitted)
    for place, gradient in zip(run.emitted, gradients[:own], strict=True):
        buffers.put(place, gradient.contiguous() if gradient is not None else buffers.zeros(place))
    for place, gradient in zip(run.states, gradients[own:], strict=True):
        if gradient is None:
            buffers.put(place, buffers.zeros(place))
        else:  # a copy, since it is written over
            buffers.put(place, gradient.clone(memory_format=torch.contiguous_format))
    buffers.make_rest()
    ctx.execute(run.program, buffers.tensors, given.factors, rows.counts)
    needed = ctx.needs_input_grad[len(ctx.needs_input_grad) - len(given.matrices) :]
    return [
        *(buffers.get(run.input_gradients[n]) for n in core.inputs),
        *(buffers.get(place) for place in run.states),
        *(buffers.get(run.totals[n]) for n in core.vectors),
        *_weight_gradients(core, run, buffers, states, given, needed),
    ]


def _last(stored: Tensor, rows: Rows) -> Tensor:
    """Return each row's last state; a copy, so that all states need not live as long."""
    if rows.is_even:
        return stored[len(stored) - rows.batch_size :].clone()
    return rows.last(stored)


def _keep(
    ctx: Any, core: Core, given: Given, run: Run, buffers: Buffers, stored: list[Tensor]
) -> None:
    """Keep what going back needs, and nothing else of the size of the sequence."""
    inputs = [
        tensor if number in core.kept_inputs else None
        for number, tensor in zip(core.inputs, given.inputs, strict=True)
    ]
    groups = [buffers.get(number) for number in run.groups]
    ctx.lengths = [len(inputs), len(given.vectors), len(given.matrices), len(stored), len(groups)]
    ctx.save_for_backward(
        *inputs, *given.vectors, *given.matrices, *stored, *groups, buffers.get(run.saved)
    )


def _kept(ctx: Any) -> tuple[Given, list[Tensor], list[Tensor], Tensor | None]:
    saved, found = list(ctx.saved_tensors), []
    for length in ctx.lengths:
        found.append(saved[:length])
        saved = saved[length:]
    inputs, vectors, matrices, stored, groups = found
    given = Given(inputs, [], vectors, matrices, ctx.turned)
    return given, stored, groups, saved[0]


def _weight_gradients(
    core: Core,
    run: Run,
    buffers: Buffers,
    states: list[Tensor],
    given: Given,
    needed: Sequence[bool],
) -> list[Tensor | None]:
    """Return the gradient of every matrix: one product over all steps for each piece of it."""
    found: list[Tensor | None] = [None] * len(needed)
    for number, group in enumerate(core.learnt):
        gradient = buffers.whole(run.groups[number])
        factor = buffers.get(run.factors.get(number))
        if factor is None:
            factor = _columns_of(group.factor, core, given, states, buffers.rows)
        for piece in group.pieces:
            matrix = piece.matrix
            if needed[matrix]:
                found[matrix] = _add(
                    found[matrix],
                    given.matrices[matrix],
                    piece,
                    factor,
                    gradient if piece.width == group.width else gradient[:, piece.span],
                    given.turned[matrix],
                )
    return [
        torch.zeros_like(matrix) if own is None and need else own
        for own, matrix, need in zip(found, given.matrices, needed, strict=True)
    ]


def _columns_of(
    factor: Value, core: Core, given: Given, states: list[Tensor], rows: Rows
) -> Tensor:
    """Return a left factor that is there, or columns of one, for the rows of all steps."""
    if factor.kind is Leaf.SLICE:
        whole = _columns_of(factor.args[0], core, given, states, rows)
        return whole[:, factor.number : factor.number + factor.width]
    if factor.kind is Leaf.INPUT:
        return given.inputs[[*core.inputs].index(factor.number)]
    stored = states[factor.number]
    return stored[: rows.total] if rows.is_even else rows.before(stored)


def _add(
    found: Tensor | None,
    matrix: Tensor,
    piece: Piece,
    factor: Tensor,
    gradient: Tensor,
    turned: bool,
) -> Tensor:
    """Add factor^T gradient to a piece of a matrix' gradient, or of its transpose's."""
    if found is None and piece.k * piece.width == matrix.numel():
        return _turned(factor, gradient) if turned else torch.mm(factor.t(), gradient)
    if found is None:
        found = torch.zeros_like(matrix)
    whole = found.t() if turned else found
    rows = slice(piece.row, piece.row + piece.k)
    columns = slice(piece.column, piece.column + piece.width)
    whole[rows, columns] += torch.mm(factor.t(), gradient)
    return found


def _turned(factor: Tensor, gradient: Tensor) -> Tensor:
    """Return gradient^T factor: of many rows and few columns, the other product, turned.

    That takes half to nine tenths of the time, and the transpose is small.
    """
    if len(factor) >= 1000 and factor.shape[1] < 128:
        return torch.mm(factor.t(), gradient).t()
    return torch.mm(gradient.t(), factor)
