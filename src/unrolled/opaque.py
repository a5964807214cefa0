"""A plan as one opaque operation in the graphs of ``torch.compile``.

The compiler sees ``unrolled::scan`` and nothing of the loop. The operation asks for the module's
plan again whenever it runs, so that what has changed in the module is seen as it is without the
compiler. Going back runs the chunk a second time, for nothing but its inputs is kept.

Imported by the first module that is compiled: torch's compiler takes seconds to load.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from itertools import count
from operator import index
from typing import Any, TypeAlias, cast
from weakref import WeakKeyDictionary, WeakValueDictionary, ref

import torch
from torch import Tensor, nn

from unrolled import fused
from unrolled.errors import ConfigError
from unrolled.kernels.guards import static_names
from unrolled.state import Tree, leaves

# Of a leaf its class, dtype, device and the sizes of a row; of a tuple its class and its parts.
Pattern: TypeAlias = tuple[Any, ...]


class _Operation:
    """What a number stands for: a module's step, and the trees that it is given and gives."""

    def __init__(self, number: int, module: nn.Module, x: Tree, state: Tree, output: Tree) -> None:
        self.number, self.module = number, ref(module)
        self.x, self.state, self.output = x, state, output


_numbers = count()
_operations: "WeakValueDictionary[int, _Operation]" = WeakValueDictionary()
_of_modules: "WeakKeyDictionary[nn.Module, dict[Pattern, _Operation]]" = WeakKeyDictionary()


def scan(module: Any, x: Tree, state: Tree) -> tuple[Any, Any] | None:
    """Run a chunk as one operation of the graph being traced; None where there is no plan.

    Args:
        module: a ``Recurrence`` with a step of its own.
        x: leaves ``[B, T, ...]``; of a stride, ``[B, T / stride, stride, ...]``.
        state: leaves ``[B, ...]``.
    """
    if torch.compiler.is_exporting():  # an exported program runs where this module is not
        return None
    number = operation_of(module, pattern(x, 2), pattern(state, 1))
    if number < 0:
        return None
    statics = [reduce(getattr, name.split("."), module) for name in _names(module)]
    results = torch.ops.unrolled.scan(number, leaves(x), leaves(state), statics)
    num_outputs = len(results) - len(leaves(state))
    y = [leaf.transpose(0, 1) for leaf in results[:num_outputs]]
    return _built(_output(number), iter(y)), fused.like(state, results[num_outputs:])


# Not traced but called by the compiler, which holds what they return as constants.


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def operation_of(module: Any, x: Pattern, state: Pattern) -> int:
    """Return the number of a module's operation over chunks and states like these; -1, no plan."""
    chunk, first = _template(x, 2), _template(state, 1)
    planned = fused.plan_for(module, module.step, chunk, first, compiling=True)
    if isinstance(planned, str):
        return -1
    known = _of_modules.setdefault(module, {})
    key = x, state, pattern(planned.output, 1)
    if key not in known:
        known[key] = _Operation(next(_numbers), module, chunk, first, planned.output)
        _operations[known[key].number] = known[key]
    return known[key].number


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _names(module: Any) -> tuple[str, ...]:
    return tuple(static_names(module))


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _output(number: int) -> Pattern:
    return pattern(_operations[number].output, 1)


def pattern(tree: Tree, leading: int) -> Pattern:
    """Return what a tree looks like behind its leading axes, as constants."""
    if isinstance(tree, Tensor):
        # An index is a number even where the compiler would rather keep it open.
        sizes = [index(size) for size in tree.shape[leading:]]
        return type(tree), tree.dtype, tree.device.type, *sizes
    return type(tree), *[pattern(part, leading) for part in tree]


def _is_leaf(pattern: Pattern) -> bool:
    return len(pattern) > 1 and isinstance(pattern[1], torch.dtype)


def _template(pattern: Pattern, leading: int) -> Tree:
    if _is_leaf(pattern):
        _, dtype, device, *sizes = pattern
        return torch.zeros(*(1,) * leading, *sizes, dtype=dtype, device=device)
    parts = [_template(part, leading) for part in pattern[1:]]
    return cast(Tree, _tuple(pattern[0], parts))


def _built(pattern: Pattern, following: Any) -> Any:
    """Return a tree like a pattern, of the tensors that follow."""
    if _is_leaf(pattern):
        return next(following)
    return _tuple(pattern[0], [_built(part, following) for part in pattern[1:]])


def _tuple(cls: Any, parts: list[Any]) -> Any:
    return cls(*parts) if hasattr(cls, "_fields") else tuple(parts)


# The operation, and the one for its gradient


@torch.library.custom_op("unrolled::scan", mutates_args=())
def _scan(
    number: int, inputs: Sequence[Tensor], states: Sequence[Tensor], statics: Sequence[Tensor]
) -> list[Tensor]:
    """Return the leaves of y ``[T, B, ...]`` and of the last state."""
    with _above_autograd(False):
        results = _run(number, inputs, states, statics)
    return _apart(results, [*inputs, *states, *statics])


@_scan.register_fake
def _(
    number: int, inputs: Sequence[Tensor], states: Sequence[Tensor], statics: Sequence[Tensor]
) -> list[Tensor]:
    del statics
    batch_size, num_steps = inputs[0].shape[:2]
    outputs = [
        inputs[0].new_empty((num_steps, batch_size, *leaf.shape[1:]), dtype=leaf.dtype)
        for leaf in leaves(_operations[number].output)
    ]
    return [*outputs, *(state.new_empty(state.shape) for state in states)]


@torch.library.custom_op("unrolled::scan_backward", mutates_args=())
def _scan_backward(
    number: int,
    gradients: Sequence[Tensor],
    inputs: Sequence[Tensor],
    states: Sequence[Tensor],
    statics: Sequence[Tensor],
    needed: Sequence[bool],
) -> list[Tensor]:
    """Return the gradients of all that is needed of inputs, states and statics, in order."""
    given = [*inputs, *states, *statics]
    with _above_autograd(True):
        sources = [t.detach().requires_grad_(n) for t, n in zip(given, needed, strict=True)]
        following = iter(sources)
        parts = [[next(following) for _ in part] for part in (inputs, states, statics)]
        results = _run(number, *parts)
        pairs = [
            (result, gradient)
            for result, gradient in zip(results, gradients, strict=True)
            if result.requires_grad
        ]
        found = torch.autograd.grad(
            [result for result, _ in pairs],
            [source for source in sources if source.requires_grad],
            [gradient for _, gradient in pairs],
            allow_unused=True,
            materialize_grads=True,
        )
    return _apart(found, [*given, *gradients])


@_scan_backward.register_fake
def _(
    number: int,
    gradients: Sequence[Tensor],
    inputs: Sequence[Tensor],
    states: Sequence[Tensor],
    statics: Sequence[Tensor],
    needed: Sequence[bool],
) -> list[Tensor]:
    del number, gradients
    given = [*inputs, *states, *statics]
    return [t.new_empty(t.shape) for t, n in zip(given, needed, strict=True) if n]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    del output
    number, *parts = inputs
    ctx.number, ctx.lengths = number, [len(part) for part in parts]
    ctx.save_for_backward(*(tensor for part in parts for tensor in part))


def _differentiate(ctx: Any, gradients: list[Tensor]) -> tuple[Any, ...]:
    following = iter(ctx.saved_tensors)
    parts = [[next(following) for _ in range(length)] for length in ctx.lengths]
    needed = [bool(flag) for flags in ctx.needs_input_grad[1:] for flag in flags]
    found = iter(torch.ops.unrolled.scan_backward(ctx.number, gradients, *parts, needed))
    flags = iter(needed)
    return None, *([next(found) if next(flags) else None for _ in part] for part in parts)


_scan.register_autograd(_differentiate, setup_context=_keep)


@contextmanager
def _above_autograd(grad: bool) -> Iterator[None]:
    """Let torch differentiate, and decompose as it does for a user; operations run below both."""
    with torch.inference_mode(False), torch.set_grad_enabled(grad):
        yield


def _run(
    number: int, inputs: Sequence[Tensor], states: Sequence[Tensor], statics: Sequence[Tensor]
) -> list[Tensor]:
    operation = _operations.get(number)
    module: Any = None if operation is None else operation.module()
    if operation is None or module is None:
        raise ConfigError("the module that was compiled", "one that is gone", "compile it again")
    x, state = fused.like(operation.x, list(inputs)), fused.like(operation.state, list(states))
    planned = fused.plan_for(module, module.step, x, state)
    if isinstance(planned, str):
        raise _changed(module, f"no plan, since {planned}")
    if pattern(planned.output, 1) != pattern(operation.output, 1):
        raise _changed(module, "an output of another shape")
    if [(s.shape, s.dtype) for s in statics] != [(s.shape, s.dtype) for s in planned.statics]:
        raise _changed(module, "parameters of other shapes")
    y, after = fused.scan(planned._replace(statics=list(statics)), x, state)
    return [*(leaf.transpose(0, 1) for leaf in leaves(y)), *leaves(after)]


def _changed(module: nn.Module, got: str) -> ConfigError:
    expected = f"{type(module).__name__} as it was when it was compiled"
    return ConfigError(expected, got, "call torch.compiler.reset() after such a change")


def _apart(results: Sequence[Tensor], given: Sequence[Tensor]) -> list[Tensor]:
    """Return results as an operation must: contiguous, each alone in memory of its own."""
    taken = {tensor.untyped_storage().data_ptr() for tensor in given}
    found = []
    for result in results:
        result = result.detach().contiguous()
        if result.storage_offset() or result.untyped_storage().data_ptr() in taken:
            result = result.clone()
        taken.add(result.untyped_storage().data_ptr())
        found.append(result)
    return found
