"""Processes for tests that need one: forked from a Python that has imported the library.

Importing torch takes seconds of computing. One process of a test run does it, forks at request,
and the fork goes on like a Python that was just started: ``-m MODULE`` or ``-c CODE`` as its
``__main__``, with a working folder, an environment and standard streams of its own, to the
interpreter's real end. What asks whether torch is imported is forked from a second one, ``light``,
which has the command line alone.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[1]
LIGHT = ("unrolled.cli",)
WHOLE = (
    "torch._dynamo",  # which an optimizer's first step imports, for seconds
    *("unrolled.cli.demo_film", "unrolled.cli.demo_language", "unrolled.cli.demo_watching"),
    *("unrolled.cli.demo_describing", "unrolled.cli.stream", "unrolled.cli.list_names"),
    *("unrolled.cli.evaluate", "unrolled.tasks.language.report", "unrolled.tasks.captioning.data"),
)


class Pipe:
    """A pipe whose ends are files, closed with it."""

    def __init__(self) -> None:
        reader, writer = os.pipe()
        self.reader, self.writer = os.fdopen(reader, "rb"), os.fdopen(writer, "wb")

    def __enter__(self) -> "Pipe":
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()
        self.writer.close()


class Forked:
    """A process that was forked, to be signalled and waited for.

    Args:
        arguments: what would follow ``python`` on a command line.
        stdin: where the process reads, and ``stdout`` and ``stderr`` where it writes: files.
        environment: all of its environment.
        folder: where it works; here, if left out.
        light: whether it begins without torch.
        is_terminal: whether ``stdin`` is a terminal, which the process is to be controlled by.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        stdin: int | IO[Any],
        stdout: int | IO[Any],
        stderr: int | IO[Any],
        *,
        environment: Mapping[str, str] = os.environ,
        folder: Path | None = None,
        light: bool = False,
        is_terminal: bool = False,
    ) -> None:
        job = {
            "arguments": list(arguments),
            "folder": str(folder or Path.cwd()),
            "environment": dict(environment),
            "is_terminal": is_terminal,
        }
        streams = [f if isinstance(f, int) else f.fileno() for f in (stdin, stdout, stderr)]
        self._connection = _server(LIGHT if light else WHOLE)
        data = json.dumps(job).encode()
        socket.send_fds(self._connection, [len(data).to_bytes(4, "big")], streams)
        self._connection.sendall(data)
        self.pid = self._answer()

    def wait(self) -> int:
        """Wait for its end; return its exit code, or the signal that killed it as below 0."""
        return os.waitstatus_to_exitcode(self._answer())

    def send_signal(self, number: int) -> None:
        """Signal it."""
        os.kill(self.pid, number)

    def _answer(self) -> int:
        return int.from_bytes(_received(self._connection, 4), "big")


def run(
    *arguments: str, given: bytes = b"", folder: Path | None = None, light: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run what would follow ``python`` on a command line, and return what came of it."""
    with (
        tempfile.TemporaryFile() as stdin,
        tempfile.TemporaryFile() as stdout,
        tempfile.TemporaryFile() as stderr,
    ):
        stdin.write(given)
        stdin.seek(0)
        code = Forked(arguments, stdin, stdout, stderr, folder=folder, light=light).wait()
        stdout.seek(0)
        stderr.seek(0)
        said = (stream.read().decode() for stream in (stdout, stderr))
        return subprocess.CompletedProcess(arguments, code, *said)


@cache
def _server(imported: tuple[str, ...]) -> socket.socket:
    """Start a process that forks; it ends when this one does."""
    ours, its = socket.socketpair()
    command = [sys.executable, "-m", "tests.forked", str(its.fileno()), *imported]
    path = os.pathsep.join([str(ROOT), *sys.path])  # this process's library, and no other
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment, pass_fds=[its.fileno()], start_new_session=True
    )
    its.close()
    atexit.register(server.wait)
    atexit.register(ours.close)
    return ours


def _serve(connection: socket.socket, imported: Sequence[str]) -> list[str]:
    """Fork a process for every job, one after the other; return in each, with its arguments."""
    for name in imported:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    while True:
        size, streams, _, _ = socket.recv_fds(connection, 4, 3)
        if not size:
            os._exit(0)
        job = json.loads(_received(connection, int.from_bytes(size, "big")))
        child = os.fork()
        if child == 0:
            connection.close()
            _become(job, streams)
            return job["arguments"]
        for stream in streams:
            os.close(stream)
        connection.sendall(child.to_bytes(4, "big"))
        connection.sendall(os.waitpid(child, 0)[1].to_bytes(4, "big"))


def _become(job: dict[str, Any], streams: list[int]) -> None:
    """Take on the streams, the folder and the environment of a job."""
    if job["is_terminal"]:
        os.login_tty(os.dup(streams[0]))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    sys.path[0] = job["folder"]
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError("the process that forks has ended")
        data += part
    return data


def _go_on(kind: str, what: str, *arguments: str) -> None:
    """Run a module or code as the program of this process."""
    sys.argv = [what if kind == "-m" else kind, *arguments]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    _go_on(*_serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:]))
