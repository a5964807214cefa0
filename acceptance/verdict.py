"""What every proof prints."""

import json
import sys
import time
from typing import Any


def conclude(
    bar: str,
    n: int,
    failures: list[str],
    *,
    control_failed: bool,
    figures: dict[str, Any],
    began: float,
    exercised: bool = True,
) -> int:
    """Print the JSON line; return 0 if nothing failed but the broken twin, and it was exercised."""
    for failure in failures[:5]:
        print(failure, file=sys.stderr)
    verdict = {
        "bar": bar,
        "n": n,
        "failures": len(failures),
        "control_failed": control_failed,
        "exercised": exercised,
        "figures": figures,
        "wall_s": round(time.monotonic() - began, 1),
    }
    print(json.dumps(verdict))
    return 0 if not failures and control_failed and exercised else 1
