"""The table of published figures: all come out, and a wrong one is found."""

import pytest

from unrolled.diagnostics.checks import Check, run_checks
from unrolled.diagnostics.published import PUBLISHED


@pytest.mark.parametrize("check", PUBLISHED, ids=lambda check: check.name)
def test_a_published_figure_comes_out(check: Check) -> None:
    (outcome,) = run_checks([check])
    assert outcome.holds, f"expected {check.expected}, got {outcome.got}"


def test_names_are_distinct_and_sources_given() -> None:
    assert len({check.name for check in PUBLISHED}) == len(PUBLISHED)
    assert all(check.source for check in PUBLISHED)


@pytest.mark.parametrize(
    ("expected", "got", "tolerance", "holds"),
    [
        (3, 3, 0.0, True),
        (3, 4, 0.0, False),
        (1.0, 1.0 + 1e-9, 0.0, False),
        (1.0, 1.0 + 1e-9, 1e-8, True),
        (1.0, float("nan"), 1e-8, False),
        ((3.0, 4.0), (3.0, 4.0), 0.0, True),
        ((3.0, 4.0), (3.0, 4.1), 0.0, False),
        ((3.0, 4.0), (3.0,), 0.0, False),
        ("hello", "hello", 0.0, True),
        ("hello", "hell", 0.0, False),
        ("5", 5, 0.0, False),
    ],
)
def test_figures_are_compared_to_their_tolerance(expected, got, tolerance, holds) -> None:
    (outcome,) = run_checks([Check("figure", expected, "here", lambda: got, tolerance)])
    assert outcome.holds is holds


def test_one_that_breaks_does_not_stop_the_next() -> None:
    broken = Check("broken", 1, "here", lambda: 1 // 0)
    first, second = run_checks([broken, Check("sum", 3, "here", lambda: 3)])
    assert (first.holds, second.holds) == (False, True)
    assert "ZeroDivisionError" in first.got
