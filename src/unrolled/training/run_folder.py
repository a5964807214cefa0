"""The folder of a run: what was asked for, the log, and the model."""

import json
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

from unrolled.errors import ConfigError, ReaderError
from unrolled.storage import write_file
from unrolled.training.truncated_bptt import Progress

_REQUEST = "run.json"


class RunFolder:
    """A new folder for a run; one that exists is never overwritten.

    Holds ``run.json`` (the request), ``metrics.jsonl`` (one line a validation) and ``model/``. It
    appears with the first thing that is written into it, so that a refused run leaves nothing.
    """

    def __init__(self, out: Path | None, task: str, request: dict[str, Any]) -> None:
        """Choose ``out``, or the next free ``runs/TASK-N``.

        Raises:
            ConfigError: ``out`` exists and is not an empty folder.
        """
        if out is None:
            out = next(p for n in count(1) if not (p := Path("runs") / f"{task}-{n}").exists())
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise ConfigError(f"a new folder for --out, not {out}", "one in use", "name another")
        self.path = out
        self._request = {"task": task, **request}

    @property
    def model(self) -> Path:
        """Where the model goes."""
        self._open()
        return self.path / "model"

    def log(self, progress: Progress) -> None:
        """Append a line to ``metrics.jsonl``."""
        self._open()
        with (self.path / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(asdict(progress)) + "\n")

    def _open(self) -> None:
        if not (self.path / _REQUEST).exists():
            write_file(self.path / _REQUEST, json.dumps(self._request, indent=2).encode())


def request_of(folder: Path) -> dict[str, Any]:
    """Return what a run was asked for.

    Raises:
        ReaderError: the folder is not that of a run.
    """
    try:
        request: dict[str, Any] = json.loads((folder / _REQUEST).read_text("utf-8"))
    except (OSError, ValueError):
        raise ReaderError(
            f"--data, since {folder} is no run folder that remembers its own", "none", "pass it"
        ) from None
    return request
