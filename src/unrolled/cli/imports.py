"""``--import``: your own Python files, the only code that a command line runs."""

from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter

Imports: TypeAlias = Annotated[
    tuple[Path, ...], Parameter(name="--import", negative="", show_default=False)
]


def run_imports(paths: tuple[Path, ...]) -> None:
    """Run the files, which register classes."""
    from unrolled.registry import import_file

    for path in paths:
        import_file(path)
