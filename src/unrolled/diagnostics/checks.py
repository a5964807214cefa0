"""A figure that must come out, and the running of a table of them."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import torch

Figure: TypeAlias = int | float | str | tuple[float, ...]


@dataclass(frozen=True)
class Check:
    """One figure that must come out.

    Args:
        name: what is computed.
        expected: what must come out.
        source: the publication, or the formula by hand.
        compute: gives the figure; torch's generator is at seed 0.
        tolerance: largest relative difference; 0 asks for the very number.
    """

    name: str
    expected: Figure
    source: str
    compute: Callable[[], Figure]
    tolerance: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What a check came to; ``got`` is the error's text where it could not be computed."""

    check: Check
    got: Figure
    holds: bool


def run_checks(checks: Iterable[Check]) -> Iterator[Outcome]:
    """Compute one check after the other; one that fails does not stop the next.

    Example:
        >>> [outcome.holds for outcome in run_checks([Check("sum", 3, "1 + 2", lambda: 1 + 2)])]
        [True]
    """
    for check in checks:
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                got = check.compute()
        except Exception as error:  # whatever went wrong is the outcome
            yield Outcome(check, f"{type(error).__name__}: {error}", holds=False)
        else:
            yield Outcome(check, got, holds=_agree(check.expected, got, check.tolerance))


def _agree(expected: Figure, got: Figure, tolerance: float) -> bool:
    if isinstance(expected, str) or isinstance(got, str):
        return expected == got
    pairs = zip(_numbers(expected), _numbers(got), strict=False)
    same_length = len(_numbers(expected)) == len(_numbers(got))
    return same_length and all(math.isclose(a, b, rel_tol=tolerance) for a, b in pairs)


def _numbers(figure: int | float | tuple[float, ...]) -> tuple[float, ...]:
    return figure if isinstance(figure, tuple) else (figure,)
