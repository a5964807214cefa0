"""The context that a module is bound to: rows that stay the same from step to step."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar, cast

from torch import Tensor, nn

from unrolled import fused
from unrolled.errors import ContextError
from unrolled.kernels.trace import UnplannableError
from unrolled.state import Tree, leaves, map_leaves, select_rows

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def group_rows(tensor: Tensor, num_groups: int) -> Tensor:
    """View a batch ``[K·N, ...]`` as ``[N, K, ...]``: the K rows that share a context row.

    Raises:
        ContextError: the batch is not a multiple of ``num_groups``, the context's N rows.
    """
    copies = _copies(tensor.shape[0], num_groups)
    return tensor.reshape(num_groups, copies, *tensor.shape[1:])


def repeat_rows(tensor: Tensor, batch_size: int) -> Tensor:
    """Return a context's ``[N, ...]`` as ``[K·N, ...]``, each row K times in a row."""
    return tensor.repeat_interleave(_copies(batch_size, tensor.shape[0]), dim=0)


def _copies(batch_size: int, num_groups: int) -> int:
    if num_groups == 0 or batch_size % num_groups:
        raise ContextError(
            f"a batch of K·N rows for a context of N={num_groups}", f"B={batch_size}"
        )
    return batch_size // num_groups


def rebind(module: ModuleT, choose: Callable[[Any], Any]) -> ModuleT:
    """Copy a tree of modules, sharing every tensor, with ``choose(module)`` as each context."""
    # Not copy.copy: torch forbids it for modules with parametrizations, such as weight_norm.
    bound = object.__new__(type(module))
    vars(bound).update(vars(module))
    bound._modules = {
        name: child if child is None else rebind(child, choose)
        for name, child in module._modules.items()
    }
    if hasattr(module, "_context"):
        vars(bound)["_context"] = choose(module)
        fused.share_plans(bound, module)  # or every picture would be planned for anew
    return bound


def for_rows(module: ModuleT, rows: Tensor, batch_size: int) -> ModuleT:
    """Return a module with what some ``rows [M]`` of the batch have of every bound context.

    Raises:
        ContextError: the batch is not a multiple of a context's rows.
    """

    def own(inner: Any) -> Any:
        context = inner._context
        if context is None:
            return None
        first = leaves(context)[0]
        return select_rows(context, rows.to(first.device) // _copies(batch_size, len(first)))

    return rebind(module, own)


class Driven(NamedTuple):
    """A module's step as a function of all that differs from row to row, a bound context too.

    Args:
        step: from a frame and a state to y_t and the next state.
        frames: x, and if a context is bound its rows, as if each came anew with every step.
        check: where rows share a row of the context: the step in which every two do.
    """

    step: fused.StepFunction
    frames: Tree
    check: fused.StepFunction | None = None


def driven(module: nn.Module, x: Tree) -> Driven:
    """Return the step of a module for ``x [B, T, ...]``, and its frames.

    Raises:
        UnplannableError: what is bound is no single context of rows ``[N, n]``.
        ContextError: B is not a multiple of N.
    """
    contexts = [c for m in module.modules() if (c := getattr(m, "_context", None)) is not None]
    if not contexts:
        return Driven(cast(Any, module).step, x)
    context = contexts[0]
    if any(other is not context for other in contexts):
        raise UnplannableError("two contexts are bound")
    if any(leaf.ndim != 2 for leaf in leaves(context)):
        raise UnplannableError("a context is bound that is not of rows [N, n]")
    batch_size, num_steps = leaves(x)[0].shape[:2]

    def spread(leaf: Tensor) -> Tensor:
        rows = leaf if len(leaf) == batch_size else repeat_rows(leaf, batch_size)
        return rows.unsqueeze(1).expand(-1, num_steps, -1)

    shares = len(leaves(context)[0]) < batch_size
    return Driven(
        partial(_step, module, 1),
        fused.Given(x, map_leaves(spread, context)),
        partial(_step, module, 2) if shares else None,
    )


def _step(module: nn.Module, copies: int, frame: fused.Given, state: Any) -> Any:
    """Take a step in which ``copies`` consecutive rows share a row of the frame's context."""

    def own(leaf: Tensor) -> Tensor:
        return leaf[::copies] if copies > 1 else leaf

    context = map_leaves(own, frame.context)
    bound = rebind(module, lambda m: None if m._context is None else context)
    return cast(Any, bound).step(frame.x, state)
