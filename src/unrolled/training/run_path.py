"""Where a run may go; decided without importing torch."""

from itertools import count
from pathlib import Path

from unrolled.errors import ConfigError

RECORD = "resume.json"


def new_run_path(out: Path | None, task: str) -> Path:
    """Return ``out``, or the next free ``runs/TASK-N``.

    Raises:
        ConfigError: ``out`` exists and is not an empty folder.
    """
    if out is None:
        return next(p for n in count(1) if not (p := Path("runs") / f"{task}-{n}").exists())
    if out.exists() and (not out.is_dir() or any(map(_is_of_use, out.iterdir()))):
        raise ConfigError(f"a new folder for --out, not {out}", "one in use", "name another")
    return out


def _is_of_use(path: Path) -> bool:
    """Tell whether a folder with this in it is in use, not what a run killed at birth left."""
    return path.name != RECORD and not path.name.startswith(".")
