"""All the checks, and the one function that runs them over a module."""

from collections.abc import Callable
from typing import Any

import torch

from unrolled.errors import LawError, UnrolledError
from unrolled.recurrence import Recurrence
from unrolled.state import Tree
from unrolled.testing import context as contexts
from unrolled.testing import cuts, gradients, isolation, persistence, ragged, structure
from unrolled.testing.case import Case

# In the order in which a newcomer would want to hear of a fault.
CHECKS: dict[str, Callable[[Case], None]] = {
    "output": structure.check_output,
    "memory": structure.check_memory,
    "state": structure.check_state,
    "stride": structure.check_stride,
    "limits": structure.check_limits,
    "purity": isolation.check_purity,
    "detach": persistence.check_detach,
    "causality": isolation.check_causality,
    "rows": isolation.check_rows,
    "cuts": cuts.check_cuts,
    "steps": cuts.check_steps,
    "steps_in_place": cuts.check_steps_in_place,
    "saved_state": persistence.check_saved_state,
    "lengths": ragged.check_lengths,
    "padding": ragged.check_padding,
    "reset": ragged.check_reset,
    "reset_and_carry": ragged.check_reset_and_carry,
    "context": contexts.check_context,
    "context_rows": contexts.check_context_rows,
    "context_gradient": contexts.check_context_gradient,
    "training": cuts.check_training,
    "state_dict": persistence.check_state_dict,
    "copy": persistence.check_copy,
    "move": persistence.check_move,
    "gradients": gradients.check_gradients,
}


def check_recurrence(
    module: Recurrence[Any, Any, Any, Any],
    x: Tree,
    *,
    context: Tree | None = None,
    dtypes: tuple[torch.dtype, ...] = (torch.float32, torch.float64),
    seed: int = 0,
    rounds: int = 3,
) -> None:
    """Check that a module keeps the law: every cut, step, row, length, reset, copy and gradient.

    Works on copies: the module is left as it was. Small sizes do (B = 3, T = 7, distinct primes).

    Args:
        module: the module, without a context bound.
        x: an input, or a NamedTuple of them, ``[B, T, ...]``, B and T at least 2, T a multiple of
            the stride.
        context: for a module that takes one, a NamedTuple of tensors ``[B, ...]``.
        dtypes: the float dtypes to check in.
        seed: of the random cuts, lengths and resets.
        rounds: ways to cut that each check of cuts tries; two already cut at every step.
    Raises:
        LawError: the first fault found; it names the check, the place, what was expected and came.
    Example:
        >>> from unrolled.cells import LSTM
        >>> check_recurrence(LSTM(3, 5), torch.randn(2, 7, 3))
    """
    for dtype in dtypes:
        case = Case.of(module, x, context, dtype, seed, rounds)
        case.require_size()
        for name, check in CHECKS.items():
            run_check(name, check, case)


def run_check(name: str, check: Callable[[Case], None], case: Case) -> None:
    """Run one check; an error of the library or of torch on the way is a fault of the module."""
    try:
        check(case)
    except LawError:
        raise
    except (UnrolledError, RuntimeError, IndexError, TypeError, ValueError) as error:
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else ""
        got = f"{type(error).__name__}: {first_line}"
        raise LawError(name, type(case.module).__name__, "an answer", got) from error
