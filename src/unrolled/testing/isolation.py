"""Checks that nothing leaks: into arguments, from the future, from other rows."""

from typing import TypeAlias

import torch
from torch import Tensor

from unrolled.errors import LawError
from unrolled.state import Tree, map_leaves, named_leaves, select_rows, time_slice
from unrolled.testing.case import Case, call, poison
from unrolled.testing.compare import CUT_TOLERANCE, assert_identical, assert_trees_close

Results: TypeAlias = tuple[Tree, Tree]  # y and the last state


def check_purity(case: Case) -> None:
    """A call writes nothing that it was given and keeps nothing: the next call says the same."""
    module, state = case.bound, case.some_state()
    watched = {f"x.{name}": leaf for name, leaf in named_leaves(case.x).items()}
    watched |= {f"the given state.{name}": leaf for name, leaf in named_leaves(state).items()}
    watched |= {f"parameter {name}": tensor for name, tensor in module.named_parameters()}
    watched |= {f"buffer {name}": tensor for name, tensor in module.named_buffers()}
    before = {name: (tensor._version, tensor.clone()) for name, tensor in watched.items()}
    first = call(module, case.x, state)
    for name, (version, value) in before.items():
        # The version too: a write that leaves the same numbers still breaks autograd.
        if watched[name]._version != version or not torch.equal(watched[name], value):
            raise LawError("purity", name.rstrip("."), "untouched", "written to")
    for name, part in zip(("y", "last state"), call(module, case.x, state), strict=True):
        expected = first[0] if name == "y" else first[1]
        assert_identical("purity", f"{name} of a second call", part, expected)


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
    """A row's answer does not depend on the other rows: garbage, order, or nobody there."""
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
    order = torch.randperm(case.batch_size, generator=case.generator())
    got = call(case.on(order).bound, case.on(order).x, select_rows(state, order))
    _assert_rows("rows in another order", got, (y, last), [*range(len(order))], order.tolist())


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
