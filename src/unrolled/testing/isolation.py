"""Checks that nothing leaks: into arguments, from the future, from other rows."""

from typing import TypeAlias

import torch
from torch import Tensor

from unrolled.errors import LawError
from unrolled.state import Tree, map_leaves, named_leaves, select_rows, time_slice
from unrolled.testing.case import AnyRecurrence, Case, call, poison
from unrolled.testing.compare import CUT_TOLERANCE, assert_identical, assert_trees_close

Results: TypeAlias = tuple[Tree, Tree]  # y and the last state


def check_purity(case: Case) -> None:
    """A call writes nothing that it was given and keeps nothing: the next call says the same."""
    module, state = case.bound, case.some_state()
    before = {
        name: (tensor, tensor._version, tensor.clone())
        for name, tensor in _watched(case, module, state).items()
    }
    first = call(module, case.x, state)
    after = _watched(case, module, state)
    for name, (tensor, version, value) in before.items():
        # The version too: a write that leaves the same numbers still breaks autograd.
        touched = after[name] is not tensor or tensor._version != version
        if touched or not torch.equal(tensor, value):
            raise LawError("purity", name, "untouched", "written to")
    for name, part in zip(("y", "last state"), call(module, case.x, state), strict=True):
        expected = first[0] if name == "y" else first[1]
        assert_identical("purity", f"{name} of a second call", part, expected)


def _watched(case: Case, module: AnyRecurrence, state: Tree) -> dict[str, Tensor]:
    watched = named_leaves(case.x, "x") | named_leaves(state, "the given state")
    watched |= {f"parameter {name}": tensor for name, tensor in module.named_parameters()}
    return watched | {f"buffer {name}": tensor for name, tensor in module.named_buffers()}


def check_causality(case: Case) -> None:
    """What comes at t and later, even NaN, does not touch y before t."""
    module, state, stride = case.bound, case.some_state(), case.module.stride
    expected, _ = call(module, case.x, state)
    for t in range(stride, case.num_steps, stride):
        poisoned = map_leaves(
            lambda leaf, t=t: torch.cat([leaf[:, :t], poison(leaf[:, t:])], dim=1), case.x
        )
        y, _ = call(module, poisoned, state)
        before, wanted = (time_slice(part, 0, t // stride) for part in (y, expected))
        assert_trees_close("causality", f"y before a NaN at {t = }", before, wanted, CUT_TOLERANCE)


def check_rows(case: Case) -> None:
    """A row's answer does not depend on the other rows: garbage, nobody, or copies of itself."""
    state = case.some_state()
    y, last = call(case.bound, case.x, state)
    for row in range(case.batch_size):
        others = torch.arange(case.batch_size) != row
        x = map_leaves(lambda leaf, m=others: _replace_rows(leaf, m), case.x)
        spoiled = map_leaves(lambda leaf, m=others: _replace_rows(leaf, m), state)
        got = call(case.bound, x, spoiled)
        _assert_rows(f"row {row} beside garbage", got, (y, last), [row], [row])
        alone = torch.tensor([row])
        got = call(case.on(alone).bound, case.on(alone).x, select_rows(state, alone))
        _assert_rows(f"row {row} alone", got, (y, last), [0], [row])
    order = [case.batch_size - 1, 0, case.batch_size - 1]  # as a beam selects and repeats
    index = torch.tensor(order)
    got = call(case.on(index).bound, case.on(index).x, select_rows(state, index))
    _assert_rows(f"rows {order} selected", got, (y, last), [0, 1, 2], order)


def _replace_rows(leaf: Tensor, rows: Tensor) -> Tensor:
    replaced = leaf.clone()
    replaced[rows] = poison(leaf)[rows]
    return replaced


def _assert_rows(
    place: str, got: Results, expected: Results, mine: list[int], theirs: list[int]
) -> None:
    for name, a, b in zip(("y", "last state"), got, expected, strict=True):
        rows = (select_rows(a, torch.tensor(mine)), select_rows(b, torch.tensor(theirs)))
        assert_trees_close("rows", f"{name}, {place}", *rows, CUT_TOLERANCE)
