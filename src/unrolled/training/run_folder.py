"""The folder of a run: what was asked for, the log, the checkpoints and the model."""

import json
import os
from pathlib import Path
from typing import Any, Self

from unrolled.errors import ReaderError
from unrolled.storage import write_file
from unrolled.training.checkpoints import CheckpointFolder
from unrolled.training.run_path import new_run_path

_REQUEST = "run.json"
_LOG = "metrics.jsonl"


class RunFolder:
    """A folder for one run; one that exists is never overwritten.

    Holds ``run.json`` (the request), ``metrics.jsonl`` (a line for every update and validation),
    ``checkpoints/`` and ``model/``. A new one appears with the first thing that is written into
    it, so that a refused run leaves nothing behind.

    Args:
        path: the folder.
        request: what the run was asked for, as JSON can hold it.
        keep: how many checkpoints are kept.
    """

    def __init__(self, path: Path, request: dict[str, Any], keep: int) -> None:
        self.path = path
        self.request = request
        self.checkpoints = CheckpointFolder(path / "checkpoints", keep)

    @classmethod
    def new(cls, out: Path | None, task: str, request: dict[str, Any], keep: int) -> Self:
        """Choose ``out``, or the next free ``runs/TASK-N``.

        Raises:
            ConfigError: ``out`` exists and is not an empty folder.
        """
        return cls(new_run_path(out, task), {"task": task, **request}, keep)

    @classmethod
    def open(cls, path: Path, keep: int = 2) -> Self:
        """Open the folder of a run that was begun.

        Raises:
            ReaderError: there is no run in it.
        """
        try:
            request = json.loads((path / _REQUEST).read_text("utf-8"))
            request["task"]
        except OSError:
            got = f"no {_REQUEST} in it" if path.is_dir() else "nothing there"
            raise ReaderError(f"the folder of a run at {path}", got) from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ReaderError(f"the request of a run in {path / _REQUEST}", "damage") from None
        return cls(path, request, keep)

    @property
    def model(self) -> Path:
        """Where the model goes."""
        self._begin()
        return self.path / "model"

    def log(self, line: dict[str, Any]) -> None:
        """Append a line to the log."""
        self._begin()
        with (self.path / _LOG).open("a") as file:
            file.write(json.dumps(line) + "\n")

    def log_size(self) -> int:
        """Return the length of the log in bytes, all of it durable."""
        self._begin()
        with (self.path / _LOG).open("ab") as file:
            os.fsync(file.fileno())
            return file.tell()

    def truncate_log(self, size: int) -> None:
        """Forget what was logged after a checkpoint that is gone back to."""
        os.truncate(self.path / _LOG, size)

    def _begin(self) -> None:
        if not (self.path / _REQUEST).exists():
            write_file(self.path / _REQUEST, json.dumps(self.request, indent=2).encode())
