"""Documents are run: every >>> in the package, and the code in the README and in the pages."""

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import unrolled

ROOT = Path(__file__).parents[1]
MODULES = [
    info.name
    for info in pkgutil.walk_packages(unrolled.__path__, "unrolled.")
    if not info.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def python_blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), flags=re.S)


BLOCKS = [
    pytest.param(block, id=f"{page} block {number}")
    for page in (
        "README.md",
        "docs/captioners.md",
        "docs/caption_data.md",
        "docs/captioning.md",
        "docs/captions.md",
        "docs/describing.md",
        "docs/live.md",
        "docs/networks.md",
        "docs/streaming_networks.md",
        "docs/video.md",
        "docs/world.md",
    )
    for number, block in enumerate(python_blocks(page))
]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.usefixtures("short_reports")
def test_python_in_a_page_runs(block: str, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "a block", "exec"), {})


def test_the_readme_shows_a_cell_in_ten_lines() -> None:
    (block,) = [b for b in python_blocks("README.md") if "check_recurrence" in b]
    cell = block.split("class ")[1].split("\n\n\n")[0]
    assert len([line for line in cell.splitlines() if line]) <= 10


def test_importing_the_package_is_light() -> None:
    heavy = ("torch", "numpy", "safetensors", "jaxtyping", "jinja2", "matplotlib", "tensorboard")
    code = (
        "import unrolled, unrolled.cli, sys; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_lazy_names_resolve_and_others_do_not() -> None:
    for name in unrolled.__all__:
        assert getattr(unrolled, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = unrolled.nonsense
