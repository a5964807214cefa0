"""Checks of rows that end early or start anew: ``lengths`` and ``reset``."""

from typing import Any

import torch
from torch import Tensor

from unrolled.errors import LawError
from unrolled.state import as_rows, leaves, map_leaves, select_rows, time_slice
from unrolled.testing.case import Case, call, poison, run
from unrolled.testing.compare import CUT_TOLERANCE, assert_identical, assert_trees_close
from unrolled.testing.cuts import assert_cuts, assert_runs_close


def check_lengths(case: Case) -> None:
    """A row that ends at its length gives what it gives alone: y before, 0 after, that state."""
    lengths, state = _random_lengths(case), case.some_state()
    y, last = call(case.bound, _spoil_padding(case, lengths), state, lengths=lengths)
    for row, length in enumerate(lengths.tolist()):
        one = case.on(torch.tensor([row]))
        before = select_rows(state, torch.tensor([row]))
        mine, after = (select_rows(part, torch.tensor([row])) for part in (y, last))
        end = length // case.module.stride
        place = f"row {row} of length {length}"
        if any(bool((leaf[:, end:] != 0).any()) for leaf in leaves(mine)):
            raise LawError("lengths", f"y past {place}", "0", "something else")
        if length == 0:
            assert_identical("lengths", f"state of {place}", after, before)
            continue
        expected = call(one.bound, time_slice(one.x, 0, length), before)
        got = (time_slice(mine, 0, end), after)
        for name, a, b in zip(("y", "last state"), got, expected, strict=True):
            assert_trees_close("lengths", f"{name} of {place}", a, b, CUT_TOLERANCE)


def check_padding(case: Case) -> None:
    """NaN in the padding reaches neither the outputs nor any gradient, cut or uncut."""
    lengths, state = _random_lengths(case), case.some_state()
    spoiled = Case(case.module, _spoil_padding(case, lengths), case.context, case.seed)
    expected = run(case, state, [], lengths=lengths)
    got = run(spoiled, state, spoiled.random_cuts(case.generator()), lengths=lengths)
    assert_runs_close("padding", "NaN past the lengths", got, expected)


def check_reset(case: Case) -> None:
    """After a reset at t a row goes on as a new sequence would, even from a state of NaN."""
    places = range(0, case.num_steps, case.module.stride)
    # As many at a time as there are rows, each row at a place of its own.
    for first in range(0, len(places), case.batch_size):
        chosen = list(enumerate(places[first : first + case.batch_size]))
        reset = torch.zeros(case.batch_size, case.num_steps, dtype=torch.bool)
        state = case.some_state()
        for row, t in chosen:
            reset[row, t] = True
            if t == 0:
                state = map_leaves(lambda leaf, r=row: _spoil_row(leaf, r), state)
        got = call(case.bound, case.x, state, reset=reset)
        for row, t in chosen:
            _assert_restarted(case, got, row, t)


def _assert_restarted(case: Case, got: tuple[Any, Any], row: int, t: int) -> None:
    stride, index = case.module.stride, torch.tensor([row])
    one = case.on(index)
    expected = call(one.bound, time_slice(one.x, t, case.num_steps))
    y, last = (select_rows(part, index) for part in got)
    mine = (time_slice(y, t // stride, case.num_steps // stride), last)
    for name, a, b in zip(("y", "last state"), mine, expected, strict=True):
        place = f"{name} of row {row}, reset at {t = }"
        assert_trees_close("reset", place, a, b, CUT_TOLERANCE)


def check_reset_and_carry(case: Case) -> None:
    """Resets inside a chunk, a carried state, lengths, and cuts anywhere: all at once."""
    draw = torch.rand(case.batch_size, case.num_steps, generator=case.generator())
    reset = (draw < 0.3) & (torch.arange(case.num_steps) % case.module.stride == 0)
    assert_cuts("reset_and_carry", case, reset=reset)
    assert_cuts("reset_and_carry", case, reset=reset, lengths=_random_lengths(case))


def _random_lengths(case: Case) -> Tensor:
    """Draw lengths that hold an empty row, a full one, and others between."""
    blocks = case.num_steps // case.module.stride
    drawn = torch.randint(0, blocks + 1, (case.batch_size,), generator=case.generator())
    drawn[0], drawn[-1] = 0, blocks
    return drawn * case.module.stride


def _spoil_padding(case: Case, lengths: Tensor) -> Any:
    padding = torch.arange(case.num_steps) >= lengths[:, None]
    return map_leaves(lambda leaf: torch.where(as_rows(padding, leaf), poison(leaf), leaf), case.x)


def _spoil_row(leaf: Tensor, row: int) -> Tensor:
    spoiled = leaf.clone()
    spoiled[row] = poison(leaf)[row]
    return spoiled
