"""Checks of the context: shared by consecutive rows, never tiled, and differentiable."""

import torch

from unrolled.errors import ContextError, LawError
from unrolled.state import select_rows
from unrolled.testing.case import Case, call, run
from unrolled.testing.compare import CUT_TOLERANCE, assert_trees_close


def check_context(case: Case) -> None:
    """K·N rows over N context rows give what N·K context rows, each repeated, would."""
    if case.context is None:
        return
    for copies in (1, 3):
        index = torch.arange(case.batch_size).repeat_interleave(copies)
        # Rows of one group differ, so that rows in the wrong order show.
        x = select_rows(case.x, index[torch.randperm(len(index), generator=case.generator())])
        shared = case.module.given(case.context)
        repeated = case.module.given(select_rows(case.context, index))
        got, expected = call(shared, x), call(repeated, x)
        for name, a, b in zip(("y", "last state"), got, expected, strict=True):
            place = f"{name} with {copies} rows to a context row"
            assert_trees_close("context", place, a, b, CUT_TOLERANCE)


def check_context_rows(case: Case) -> None:
    """``rows(i)`` keeps the contexts of the rows that stay, in their order."""
    if case.context is None:
        return
    index = torch.arange(case.batch_size).flip(0)[: max(1, case.batch_size - 1)]
    state = case.some_state()
    got = call(case.bound.rows(index), select_rows(case.x, index), select_rows(state, index))
    whole = call(case.bound, case.x, state)
    for name, a, b in zip(("y", "last state"), got, whole, strict=True):
        expected = select_rows(b, index)
        assert_trees_close(
            "context_rows", f"{name} of rows {index.tolist()}", a, expected, CUT_TOLERANCE
        )


def check_context_gradient(case: Case) -> None:
    """Gradients reach what made the context; a module without one says so."""
    if case.context is None:
        return
    # From a fresh state, which may be all that the context is for.
    gradients = run(case, None, []).gradients
    made = [g for name, g in gradients.items() if name.startswith("context's maker")]
    if not any(bool((gradient != 0).any()) for gradient in made):
        raise LawError("context_gradient", "the context's maker", "a gradient", "none")
    try:
        case.module(case.x)
    except ContextError:
        return
    raise LawError("context_gradient", "a call without context", "a ContextError", "an answer")
