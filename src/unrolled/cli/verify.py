"""``unrolled verify``."""

from typing import TYPE_CHECKING

from unrolled.cli.output import print_json, print_table, progress_bar

if TYPE_CHECKING:
    from unrolled.diagnostics.checks import Figure


def verify(*, json: bool = False) -> int:
    """Compute published and hand-derivable figures, and compare; exits 1 on a mismatch.

    Example: unrolled verify

    Args:
        json: print one JSON object and nothing else.
    """
    from unrolled.diagnostics import published
    from unrolled.diagnostics.checks import run_checks

    outcomes, checks = [], published.PUBLISHED
    with progress_bar("verifying") as bar:
        for outcome in run_checks(checks):
            outcomes.append(outcome)
            bar(len(outcomes) / len(checks), outcome.check.name)
    wrong = [outcome for outcome in outcomes if not outcome.holds]
    if json:
        rows = [
            {
                "name": outcome.check.name,
                "expected": outcome.check.expected,
                "got": outcome.got,
                "source": outcome.check.source,
                "holds": outcome.holds,
            }
            for outcome in outcomes
        ]
        print_json({"checks": len(checks), "mismatches": len(wrong), "results": rows})
        return 1 if wrong else 0
    print_table(
        "What must come out, and what does",
        ("", "figure", "expected", "got", "source"),
        [
            (
                "ok" if outcome.holds else "NO",
                outcome.check.name,
                _written(outcome.check.expected),
                _written(outcome.got),
                outcome.check.source,
            )
            for outcome in outcomes
        ],
    )
    for outcome in wrong:
        expected, got = (_written(f, digits=12) for f in (outcome.check.expected, outcome.got))
        print(f"{outcome.check.name}: expected {expected}, got {got}")
    print(f"{len(checks) - len(wrong)} of {len(checks)} figures come out")
    return 1 if wrong else 0


def _written(figure: "Figure", digits: int = 4) -> str:
    if isinstance(figure, tuple):
        return "(" + ", ".join(_written(part, digits) for part in figure) + ")"
    if isinstance(figure, float):
        return f"{figure:.{digits}g}"
    return f"{figure:,}" if isinstance(figure, int) else figure
