"""Pure functions on trees of tensors: states, inputs, outputs and contexts.

A tree is a tensor or a tuple of trees; a NamedTuple is a tuple whose parts have names. Every leaf
leads with the batch axis B.
"""

from collections import namedtuple
from collections.abc import Callable
from itertools import chain
from typing import Any, TypeAlias, TypeVar, Union, cast

import torch
from torch import Tensor, nn

from unrolled.errors import StateError

Tree: TypeAlias = Union[Tensor, tuple["Tree", ...]]  # noqa: UP007 (recursive at run time)
TreeT = TypeVar("TreeT", bound=Tree)


def map_leaves(function: Callable[..., Tensor], tree: TreeT, *others: Tree) -> TreeT:
    """Apply ``function`` to every leaf of ``tree`` (and the matching leaves of ``others``).

    Example:
        >>> import torch
        >>> map_leaves(lambda a, b: a + b, (torch.ones(1), ()), (torch.ones(1), ()))
        (tensor([2.]), ())
    """
    if isinstance(tree, Tensor):
        return cast(TreeT, function(tree, *others))
    parts = [map_leaves(function, *column) for column in zip(tree, *others, strict=True)]
    return cast(TreeT, type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts))


def named_leaves(tree: Tree, prefix: str = "") -> dict[str, Tensor]:
    """Return every leaf under its path, such as ``{"0.h": ..., "0.c": ..., "1.step": ...}``."""
    if isinstance(tree, Tensor):
        return {prefix: tree}
    names = getattr(tree, "_fields", range(len(tree)))
    return {
        path: leaf
        for name, part in zip(names, tree, strict=True)
        for path, leaf in named_leaves(part, f"{prefix}.{name}" if prefix else str(name)).items()
    }


def leaves(tree: Tree) -> list[Tensor]:
    """Return the leaves of ``tree`` from left to right."""
    if isinstance(tree, Tensor):
        return [tree]
    return [leaf for part in tree for leaf in leaves(part)]


def from_named_leaves(named: dict[str, Tensor]) -> Tree:
    """Rebuild a tree from the paths of its leaves; a NamedTuple comes back without its name.

    Example:
        >>> import torch
        >>> from_named_leaves({"rgb": torch.ones(1), "flow": torch.zeros(1)}).flow
        tensor([0.])
    """
    if "" in named:
        return named[""]
    parts: dict[str, dict[str, Tensor]] = {}
    for path, leaf in named.items():
        name, _, rest = path.partition(".")
        parts.setdefault(name, {})[rest] = leaf
    trees = [from_named_leaves(part) for part in parts.values()]
    if all(name.isdigit() for name in parts):
        return tuple(trees)
    return cast(Tree, namedtuple("Leaves", parts)(*trees))


def replace_leaves(tree: TreeT, named: dict[str, Tensor]) -> TreeT:
    """Return ``tree`` with the tensors of ``named``, by path, in the places of its leaves.

    Raises:
        StateError: other paths, shapes of a row, or dtypes than those of ``tree``.
    """
    wanted = named_leaves(tree)
    if describe_rows(wanted) != describe_rows(named):
        raise StateError(
            f"leaves {describe_rows(wanted)}",
            f"{describe_rows(named)}",
            "load it into the module that it was saved from",
        )
    values = iter(named[path] for path in wanted)
    return map_leaves(lambda leaf: next(values).to(leaf.device), tree)


def describe_rows(named: dict[str, Tensor]) -> dict[str, list[Any]]:
    """Say the shape of a row, and the dtype, of every leaf; JSON gives it back as it is."""
    return {
        path: [list(leaf.shape[1:]), str(leaf.dtype).removeprefix("torch.")]
        for path, leaf in named.items()
    }


def as_rows(mask: Tensor, leaf: Tensor) -> Tensor:
    """View ``mask`` so that its axes line up with the *leading* axes of ``leaf``.

    Broadcasting lines axes up from the right, where a ``[B]`` mask would meet the last axis.

    Example:
        >>> import torch
        >>> as_rows(torch.ones(2), torch.ones(2, 3, 5)).shape
        torch.Size([2, 1, 1])
    """
    return mask.reshape(mask.shape + (1,) * (leaf.ndim - mask.ndim))


def check_rows(state: Tree, batch_size: int) -> None:
    """Refuse a state that has not a row for every row of x.

    Raises:
        StateError: the leaf, and its shape.
    """
    for name, leaf in named_leaves(state).items():
        if leaf.ndim == 0 or leaf.shape[0] != batch_size:
            raise StateError(
                f"a state of {batch_size} rows, as x has",
                f"{name or 'state'} of shape {list(leaf.shape)}",
                "pass the state that this batch's last chunk returned, or None",
            )


def where_rows(mask: Tensor, chosen: TreeT, other: Tree) -> TreeT:
    """Take the rows of ``chosen`` where ``mask [B]`` is true, of ``other`` elsewhere.

    Rows are selected, never multiplied: a NaN in a row that is not taken goes nowhere.
    """
    return map_leaves(lambda a, b: torch.where(as_rows(mask, a), a, b), chosen, other)


def select_rows(tree: TreeT, index: Tensor) -> TreeT:
    """Return rows ``index [M]`` of every leaf; an index may repeat (one row, many hypotheses)."""
    return map_leaves(lambda leaf: leaf.index_select(0, index.to(leaf.device)), tree)


def detach(tree: TreeT) -> TreeT:
    """Cut the graph: the same numbers, through which no gradient flows."""
    return map_leaves(lambda leaf: leaf.detach(), tree)


def to(
    tree: TreeT, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None
) -> TreeT:
    """Move every leaf to ``device`` and cast the floating-point ones to ``dtype``."""
    return map_leaves(
        lambda leaf: leaf.to(device=device, dtype=dtype if leaf.is_floating_point() else None), tree
    )


def first_parameter(module: nn.Module) -> nn.Parameter | None:
    """Return a parameter of a module, its own if it has one: to walk a tree takes microseconds."""
    own = (parameter for parameter in module._parameters.values() if parameter is not None)
    return next(chain(own, module.parameters()), None)


def device_of(module: nn.Module) -> torch.device:
    """Return where a module computes: the device of its parameters, or else of its buffers.

    Example:
        >>> device_of(nn.Linear(2, 3, device="meta")), device_of(nn.ReLU())
        (device(type='meta'), device(type='cpu'))
    """
    parameter = first_parameter(module)
    tensor = next(module.buffers(), None) if parameter is None else parameter
    return torch.device("cpu") if tensor is None else tensor.device


def state_dtype(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype of a state's float leaves: that of the parameters, and at least float32."""
    return torch.promote_types(dtype, torch.float32)


def time_slice(tree: TreeT, start: int, stop: int) -> TreeT:
    """Return steps ``start`` to ``stop`` of every leaf ``[B, T, ...]``."""
    return map_leaves(lambda leaf: leaf[:, start:stop], tree)


def first_step(tree: TreeT, stride: int = 1) -> TreeT:
    """Return the first step ``[B, ...]`` of a sequence, or its first block ``[B, stride, ...]``."""
    return map_leaves(lambda leaf: leaf[:, 0] if stride == 1 else leaf[:, :stride], tree)


def time_steps(tree: TreeT, stride: int = 1) -> list[TreeT]:
    """Cut a sequence into its steps ``[B, ...]``, or into blocks ``[B, stride, ...]``.

    Example:
        >>> import torch
        >>> [x_t.shape for x_t in time_steps(torch.zeros(2, 6, 5), stride=3)]
        [torch.Size([2, 3, 5]), torch.Size([2, 3, 5])]
    """
    parts = [leaf.unbind(1) if stride == 1 else leaf.split(stride, 1) for leaf in leaves(tree)]
    columns = [iter(row) for row in zip(*parts, strict=True)]
    return [map_leaves(lambda _, row=row: next(row), tree) for row in columns]
