"""The folder of a run: what was asked for, the log, the checkpoints and the model."""

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import unrolled
from unrolled.errors import ReaderError
from unrolled.storage import write_file
from unrolled.training.checkpoints import CheckpointFolder
from unrolled.training.plain_yaml import read_yaml, write_yaml
from unrolled.training.run_path import RECORD, new_run_path

CONFIGURATION = "config.yaml"
_LOG = "metrics.jsonl"
_CLOCK = "clock.jsonl"
_CLOCK_SECONDS = 1.0  # between the lines of the clock


class RunFolder:
    """A folder for one run; one that exists is never overwritten.

    Holds ``config.yaml`` (the request), ``resume.json`` (what going on needs besides it),
    ``metrics.jsonl`` (a line for every update and validation), ``clock.jsonl`` (when that was, a
    line a second: apart, because a run that is resumed has the same metrics and other times),
    ``checkpoints/``, ``model/`` and ``report.html``. A new one appears with the first thing that
    is written into it, so that a refused run leaves nothing behind.

    Args:
        path: the folder.
        request: what the run was asked for: scalars, and sections of them.
        keep: how many checkpoints are kept.
        record: what a resumed run must find as it was, as JSON can hold it; no configuration.
        comments: words on the keys of the request, by their path.
    """

    def __init__(
        self,
        path: Path,
        request: dict[str, Any],
        keep: int,
        *,
        record: dict[str, Any] | None = None,
        comments: Mapping[str, str] | None = None,
    ) -> None:
        self.path = path
        self.request = request
        self.record = record or {}
        self.comments = comments or {}
        self.checkpoints = CheckpointFolder(path / "checkpoints", keep)
        self._timed = -math.inf

    @classmethod
    def new(
        cls,
        out: Path | None,
        task: str,
        request: dict[str, Any],
        keep: int,
        *,
        record: dict[str, Any] | None = None,
        comments: Mapping[str, str] | None = None,
    ) -> Self:
        """Choose ``out``, or the next free ``runs/TASK-N``.

        Raises:
            ConfigError: ``out`` exists and is not an empty folder.
        """
        path, request = new_run_path(out, task), {"task": task, **request}
        return cls(path, request, keep, record=record, comments=comments)

    @classmethod
    def open(
        cls,
        path: Path,
        keep: int = 2,
        *,
        read: Callable[[Path], dict[str, Any]] = lambda path: read_yaml(path).plain(),
    ) -> Self:
        """Open the folder of a run that was begun.

        Args:
            path: the folder.
            keep: how many checkpoints are kept.
            read: reads the request, and checks it as its task does.
        Raises:
            ReaderError: there is no run in it.
        """
        if not (path / CONFIGURATION).is_file():
            got = f"no {CONFIGURATION} in it" if path.is_dir() else "nothing there"
            raise ReaderError(f"the folder of a run at {path}", got)
        request = read(path / CONFIGURATION)
        try:
            record = json.loads((path / RECORD).read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise ReaderError(f"what a run needs to go on in {path / RECORD}", "damage")
        return cls(path, request, keep, record=record)

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
        if not (self.path / CONFIGURATION).exists():
            write_file(self.path / RECORD, json.dumps(self.record, indent=2).encode())
            self.write_configuration()  # the last: a run has begun

    def write_configuration(self) -> None:
        """Write the request, as it now is, to the run's configuration."""
        heading = (
            f"Written by unrolled {unrolled.__version__}. To repeat the run:\n"
            f"unrolled train {self.request['task']} --config {self.path / CONFIGURATION}"
        )
        document = write_yaml(self.request, self.comments, heading)
        write_file(self.path / CONFIGURATION, document.encode())


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
