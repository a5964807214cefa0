"""Beauty is tested too: floors, sizes, and no text that speaks of anything but the project."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "unrolled"

# From the ground up; a floor imports only from those above it in this list.
FLOORS = [
    {"errors"},
    {"state", "shapes", "storage"},
    {"kernels"},
    {"fused"},
    {"opaque", "context"},
    {"recurrence"},
    {"registry"},
    {"cells", "layers"},
    {"encoders"},
    {"world"},
    {"metrics"},
    {"readers"},
    {"decoding"},
    {"nn"},
    {"models"},
    {"diagnostics"},
    {"streaming"},
    {"export"},
    {"training"},
    {"reports"},
    {"tasks"},
    {"figures"},
    {"testing"},
    {"benchmarks"},
    {"cli"},
]
MAX_FILE, MAX_FUNCTION = 400, 60


def floor_of(name: str) -> int:
    return next(level for level, names in enumerate(FLOORS) if name in names)


def imports(path: Path) -> list[str]:
    """Return the parts of unrolled that a file imports, wherever in it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unrolled"):
            parts = node.module.split(".")
            found += parts[1:2] or [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [a.name.split(".")[1] for a in node.names if a.name.startswith("unrolled.")]
    return found


def upward(path: Path, source: Path = SOURCE) -> list[str]:
    """Return what a file imports from a floor above its own."""
    mine = path.relative_to(source).parts[0].removesuffix(".py")
    return [name for name in imports(path) if floor_of(name) > floor_of(mine)]


def too_long(path: Path) -> list[str]:
    """Return what is longer than the house allows."""
    text = path.read_text()
    found = [f"{path.name}: {len(text.splitlines())} lines"] * (len(text.splitlines()) > MAX_FILE)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            found += [f"{path.name}:{node.name}: {length} lines"] * (length > MAX_FUNCTION)
    return found


def others() -> list[Path]:
    """Return what stands beside the package."""
    return sorted(
        path for place in ("tests", "acceptance") for path in (ROOT / place).rglob("*.py")
    )


def modules() -> list[Path]:
    # The two roots hold no code of a floor: a lazy table of names, and the door to the cli.
    return [p for p in sorted(SOURCE.rglob("*.py")) if p.parent != SOURCE or p.stem[:2] != "__"]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_go_down(path: Path) -> None:
    assert upward(path) == []


@pytest.mark.parametrize("path", [*modules(), *others()], ids=str)
def test_files_and_functions_are_short(path: Path) -> None:
    assert too_long(path) == []


def test_the_floors_in_the_documentation_are_these() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    drawing = text.split("```text\n")[1].split("```")[0]
    drawn = [set(line.split("  ")[0].replace("/", "").split()) for line in drawing.splitlines()]
    assert [names for names in drawn if names] == FLOORS[::-1]


def test_each_of_these_tests_can_fail(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    path = tmp_path / "cells" / "bad.py"
    path.write_text("from unrolled.tasks import language\nimport unrolled.cli\n")
    assert upward(path, tmp_path) == ["tasks", "cli"]
    path.write_text("def f():\n" + "    x = 1\n" * 60 + "y = 1\n" * 340)
    assert too_long(path) == ["bad.py: 401 lines", "bad.py:f: 61 lines"]
