"""A process that decodes videos, kept warm; what crashes it costs one file."""

import importlib.util
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from unrolled.errors import ReaderError

_SILENCE_SECONDS = 30.0  # it says every second that it is alive, but may have to wait for a core
_own = threading.local()


class Damage(NamedTuple):
    """What is wrong with a video, and where.

    Args:
        path: of the file.
        frame: how many frames had come before, from where reading began.
        seconds: the time stamp there, None where it is lost.
        words: what the decoder says.
    """

    path: Path
    frame: int
    seconds: float | None
    words: str

    def __str__(self) -> str:
        at = "" if self.seconds is None else f", {self.seconds:.3f} s"
        return f"{self.path}: frame {self.frame}{at}: {self.words}"


class Picture(NamedTuple):
    """A decoded frame ``[H, W, C]``, when it begins to be shown, and how many times it answers."""

    pixels: np.ndarray
    seconds: float
    times: int


class VideoProcess:
    """A process that decodes, and is started anew when a file has killed it.

    One request is answered at a time. ``readers.video`` keeps one for each thread; it ends with
    its thread, with ``close``, or with this process, however that ends.

    Args:
        silence_seconds: a decoder that is not heard of for so long hangs, and is ended.
    """

    def __init__(self, *, silence_seconds: float = _SILENCE_SECONDS) -> None:
        self._silence_seconds = silence_seconds
        self._child: _Running | None = None
        self.starts = 0

    def __enter__(self) -> "VideoProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.end()
        self._child = None

    def probe(self, path: str | Path) -> dict[str, Any]:
        """Return what is known of a video."""
        for message in self._messages({"do": "probe", "path": str(path)}):
            if "info" in message:
                info: dict[str, Any] = message["info"]
        return info

    def pictures(
        self,
        path: str | Path,
        *,
        on_damage: Callable[[Damage], None],
        seconds: list[float] | None = None,
        start_seconds: float | None = None,
        stop_seconds: float | None = None,
        frames_per_second: float | None = None,
        height: int | None = None,
        width: int | None = None,
    ) -> Iterator[Picture]:
        """Yield pictures, which are the process's own memory until the next one is asked for.

        Args:
            path: of the video.
            on_damage: is told what is wrong as it is found.
            seconds: ascending times, each for the frame shown then; None for a stretch.
            start_seconds: of the stretch.
            stop_seconds: of the stretch.
            frames_per_second: of the stretch; None for every frame.
            height: of the pictures.
            width: of the pictures.
        Raises:
            ReaderError: nothing can be read, or the decoder crashed or hangs.
        """
        request = {
            "do": "read",
            "path": str(path),
            "seconds": seconds,
            "start": start_seconds,
            "stop": stop_seconds,
            "rate": frames_per_second,
            "height": height,
            "width": width,
        }
        slots = np.empty(0, np.uint8)
        for message in self._messages(request):
            if "begin" in message:
                slots = self._running().room(message["begin"])
            elif "damage" in message:
                on_damage(Damage(Path(path), *message["damage"]))
            elif "frames" in message:
                for slot, at_seconds, times in message["frames"]:
                    yield Picture(slots[slot], at_seconds, times)
                self._running().send({"free": [slot for slot, *_ in message["frames"]]})

    def _messages(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        child = self._running()
        ended = False
        try:
            # A path may be relative to where this process is now; the child began elsewhere.
            child.send({**request, "folder": os.getcwd()})
            while not ended:
                message = child.receive(self._silence_seconds)
                ended = "end" in message or "error" in message
                if "error" in message:
                    raise ReaderError(*message["error"])
                if not ended:
                    yield message
        except GeneratorExit:
            if not child.stop(self._silence_seconds):
                self.close()
            raise
        except (EOFError, OSError, TimeoutError) as error:
            how = "hangs" if isinstance(error, TimeoutError) else child.how_it_ended()
            self.close()
            raise ReaderError(
                f"a video that can be decoded at {request['path']}", f"a decoder that {how}"
            ) from None
        except BaseException:
            if not ended:
                self.close()
            raise

    def _running(self) -> "_Running":
        if self._child is not None and self._child.pid != os.getpid():
            self._child = None  # the parent's, before a fork
        if self._child is None:
            self._child = _Running()
            self.starts += 1
        return self._child


class _Running:
    """The process, the connection to it, and the memory shared with it."""

    def __init__(self) -> None:
        if importlib.util.find_spec("av") is None:
            raise ReaderError("PyAV to read videos", "none", "pip install 'unrolled[video]'")
        self.pid = os.getpid()
        self._memory = _memory_file()
        os.ftruncate(self._memory, mmap.PAGESIZE)
        self._map = mmap.mmap(self._memory, mmap.PAGESIZE)
        ours, theirs = socket.socketpair()
        arguments = [str(theirs.fileno()), str(self._memory)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "unrolled.readers.video_child", *arguments],
            pass_fds=(theirs.fileno(), self._memory),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is the parent's to answer
        )
        theirs.close()
        self._connection = Connection(ours.detach())
        self._finalize = weakref.finalize(
            self, _end, self._process, self._connection, self._memory, self.pid
        )

    def send(self, message: dict[str, Any]) -> None:
        self._connection.send_bytes(json.dumps(message).encode())

    def receive(self, silence_seconds: float) -> dict[str, Any]:
        if not self._connection.poll(silence_seconds):
            raise TimeoutError
        message: dict[str, Any] = json.loads(self._connection.recv_bytes())
        return message

    def stop(self, silence_seconds: float) -> bool:
        """Leave a request unfinished; return whether the process can go on."""
        try:
            self.send({"leave": True})
            while True:
                message = self.receive(silence_seconds)
                if "end" in message or "error" in message:
                    return True
                if "begin" in message:
                    self.room(message["begin"])
        except (EOFError, OSError, TimeoutError):
            return False

    def room(self, shape: list[int]) -> np.ndarray:
        """Make the shared memory hold an array and return it."""
        size = int(np.prod(shape))
        if len(self._map) < size:
            os.ftruncate(self._memory, size)
            self._map = mmap.mmap(self._memory, size)
        self.send({"bytes": len(self._map)})
        return np.frombuffer(self._map, np.uint8, size).reshape(shape)

    def how_it_ended(self) -> str:
        code = self._process.wait()
        name = signal.Signals(-code).name if code < 0 else f"code {code}"
        return f"crashed ({name})"

    def end(self) -> None:
        self._finalize()


def _end(process: "subprocess.Popen[bytes]", connection: Connection, memory: int, pid: int) -> None:
    connection.close()
    os.close(memory)
    if os.getpid() == pid:  # a fork's copy must not end the process of its parent
        process.kill()
        process.wait()


def _memory_file() -> int:
    """Return a file of memory that no other process can open by name, and that nothing leaves."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("unrolled-frames")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def own_process() -> VideoProcess:
    """Return this thread's process."""
    process: VideoProcess | None = getattr(_own, "process", None)
    if process is None:
        process = _own.process = VideoProcess()
    return process
