"""The errata name what holds them, and it exists."""

import re
from pathlib import Path

from unrolled.diagnostics.published import PUBLISHED

ROOT = Path(__file__).parents[1]
CHECKS = {check.name for check in PUBLISHED}


def holders(text: str) -> list[str]:
    """Return every name in backquotes in a paragraph's end that begins with Held by."""
    sentences = re.findall(r"^Held by(.*?)(?:\n\n|\Z)", text, flags=re.S | re.M)
    return [" ".join(name.split()) for s in sentences for name in re.findall(r"`([^`]*)`", s)]


def missing(text: str) -> list[str]:
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    return [name for name in holders(text) if name not in CHECKS and f"def {name}(" not in tests]


def test_what_holds_an_erratum_exists() -> None:
    text = (ROOT / "docs" / "errata.md").read_text()
    assert len(holders(text)) > 12
    assert missing(text) == []


def test_a_holder_that_does_not_exist_is_noticed() -> None:
    assert missing("Held by `nothing at all`\nand `test_missing`.\n\n") == [
        "nothing at all",
        "test_missing",
    ]
