"""The folder of a run: what was asked for, the log, the checkpoints and the model."""

import json
import math
import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Self

from unrolled.errors import ConfigError, ReaderError
from unrolled.storage import write_file
from unrolled.training.checkpoints import CheckpointFolder

_REQUEST = "run.json"
_LOG = "metrics.jsonl"
_CLOCK = "clock.jsonl"
_CLOCK_SECONDS = 1.0  # between the lines of the clock


class RunFolder:
    """A folder for one run; one that exists is never overwritten.

    Holds ``run.json`` (the request), ``metrics.jsonl`` (a line for every update and validation),
    ``clock.jsonl`` (when that was, a line a second: apart, because a run that is resumed has the
    same metrics and other times), ``checkpoints/``, ``model/`` and ``report.html``. A new one
    appears with the first thing that is written into it, so that a refused run leaves nothing
    behind.

    Args:
        path: the folder.
        request: what the run was asked for, as JSON can hold it.
        keep: how many checkpoints are kept.
    """

    def __init__(self, path: Path, request: dict[str, Any], keep: int) -> None:
        self.path = path
        self.request = request
        self.checkpoints = CheckpointFolder(path / "checkpoints", keep)
        self._timed = -math.inf

    @classmethod
    def new(cls, out: Path | None, task: str, request: dict[str, Any], keep: int) -> Self:
        """Choose ``out``, or the next free ``runs/TASK-N``.

        Raises:
            ConfigError: ``out`` exists and is not an empty folder.
        """
        if out is None:
            out = next(p for n in count(1) if not (p := Path("runs") / f"{task}-{n}").exists())
        # What a process that was killed as it wrote the request left behind does not count.
        leftover = re.compile(rf"\.{re.escape(_REQUEST)}\.\d+\.tmp")
        if out.exists() and (
            not out.is_dir() or any(not leftover.fullmatch(p.name) for p in out.iterdir())
        ):
            raise ConfigError(f"a new folder for --out, not {out}", "one in use", "name another")
        return cls(out, {"task": task, **request}, keep)

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

    @property
    def report(self) -> Path:
        """Where the report goes."""
        self._begin()
        return self.path / "report.html"

    def log(self, line: dict[str, Any]) -> None:
        """Append a line to the log."""
        self._begin()
        with (self.path / _LOG).open("a") as file:
            file.write(json.dumps(line) + "\n")

    def log_time(self, step: int, seconds: float) -> None:
        """Note when a step was, unless the last note is less than a second old."""
        if seconds - self._timed >= _CLOCK_SECONDS:
            self._timed = seconds
            with (self.path / _CLOCK).open("a") as file:
                file.write(json.dumps({"step": step, "seconds": seconds}) + "\n")

    def read_log(self) -> Iterator[dict[str, Any]]:
        """Return the lines of the log, oldest first."""
        return _read_lines(self.path / _LOG)

    def read_clock(self) -> list[tuple[int, float]]:
        """Return pairs of a step and the seconds after which it was made, both rising.

        What a run noted after the checkpoint that it was taken up from is left out.
        """
        times: list[tuple[int, float]] = []
        for line in _read_lines(self.path / _CLOCK):
            step, seconds = line["step"], line["seconds"]
            while times and (times[-1][0] >= step or times[-1][1] >= seconds):
                times.pop()
            times.append((step, seconds))
        return times

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


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open() as file:
        for number, line in enumerate(file, 1):
            try:
                yield json.loads(line)
            except ValueError:
                if not line.endswith("\n"):  # the last one of a run that was killed
                    return
                raise ReaderError(f"a log of JSON lines in {path}", f"line {number}") from None
