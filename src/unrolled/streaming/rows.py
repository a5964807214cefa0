"""Rows one after the other: what each gives does not depend on how many there are."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

from unrolled.recurrence import Recurrence
from unrolled.state import Tree, leaves, map_leaves

TreeT = TypeVar("TreeT", bound=Tree)
_PICTURE_AXES = 4  # B C H W


def rows_go_alone(module: Recurrence[Any, Any, Any, Any], x_t: Tree) -> bool:
    """Tell whether the rows of a frame are to be taken one after the other.

    Kernels for several rows round otherwise than those for one. On a CPU a picture is work enough
    for a call of its own; vectors, contexts that rows share, and other devices are left as they
    are.
    """
    parts = leaves(x_t)
    pictures = any(part.ndim >= _PICTURE_AXES for part in parts)
    on_cpu = all(part.device.type == "cpu" for part in parts)
    return pictures and on_cpu and len(parts[0]) > 1 and not module.has_context()


def step_rows(module: Recurrence[Any, Any, Any, Any], x_t: Tree, state: Tree) -> tuple[Any, Any]:
    """Take ``module.step_`` for every row by itself; the state that is given is not written."""
    found = [
        module.step_(_row(x_t, number), _row(state, number))
        for number in range(len(leaves(x_t)[0]))
    ]
    return _joined([y_t for y_t, _ in found]), _joined([after for _, after in found])


def call_rows(network: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return what a network gives for every row by itself, on a CPU; on others for all at once."""
    if x.device.type != "cpu":
        return network(x)
    return torch.cat([network(row) for row in x.split(1)])


def _row(tree: TreeT, number: int) -> TreeT:
    return map_leaves(lambda leaf: leaf[number : number + 1].clone(), tree)


def _joined(rows: list[Any]) -> Any:
    return map_leaves(lambda *parts: torch.cat(parts), *rows)
