"""The process that decodes: it is sent requests, and writes frames into shared memory.

A decoder is a million lines of C that strangers' files are fed to. Here it may crash, hang or ask
for all memory, and one file is lost, not the run. It knows neither torch nor the caller's program;
``video_process`` starts it as ``python -m unrolled.readers.video_child SOCKET MEMORY``.
"""

import contextlib
import json
import mmap
import os
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from unrolled.errors import ReaderError
from unrolled.readers.video_decoder import Shown, listen
from unrolled.readers.video_file import Converter, VideoFile

SIGN_OF_LIFE_SECONDS = 1.0
_MEMORY_BYTES = 4 * 2**30
_RING_BYTES, _MOST_SLOTS, _FEWEST_SLOTS = 32 * 2**20, 8, 2


class Child:
    """One end of the conversation.

    Args:
        connection: to the parent; requests and replies are JSON.
        memory: the file descriptor of the memory that is shared.
    """

    def __init__(self, connection: Connection, memory: int) -> None:
        self._connection, self._memory = connection, memory
        self._map: mmap.mmap | None = None
        self._heard_of = time.monotonic()

    def serve(self) -> None:
        """Answer requests until the parent is gone."""
        while True:
            try:
                request = self._receive()
            except (EOFError, OSError):
                return
            if "do" not in request:
                continue  # it was for a request that has ended
            try:
                self._answer(request)
                self._send({"end": True})
            except ReaderError as error:
                self._send({"error": [error.expected, error.got, error.cure]})
            except Exception as error:  # whatever a file may cause, it costs this file alone
                words = getattr(error, "strerror", None) or str(error) or type(error).__name__
                self._send({"error": [f"a video at {request['path']}", words, ""]})

    def _answer(self, request: dict[str, Any]) -> None:
        os.chdir(request["folder"])
        with VideoFile(
            request["path"], on_damage=self._tell_damage, on_work=self._show_life
        ) as file:
            if request["do"] == "probe":
                self._send({"info": file.info()})
                return
            self._send_frames(_shown(file, request), request["height"], request["width"])

    def _send_frames(
        self, frames: Iterator[tuple[Shown, int]], height: int | None, width: int | None
    ) -> None:
        converter: Converter | None = None
        free: list[int] = []
        for shown, count in frames:
            if converter is None:
                converter = Converter(shown.frame, height, width)
                slots = self._make_room(converter.size)
                free = list(range(len(slots)))
            while not free or self._connection.poll():
                message = self._receive()
                if "leave" in message:
                    return
                free.append(message["free"])
            slot = free.pop(0)
            converter.write(shown.frame, slots[slot])
            self._send({"slot": slot, "seconds": shown.seconds, "count": count})

    def _make_room(self, size: tuple[int, int]) -> np.ndarray:
        """Agree with the parent on the memory for frames ``[slots, H, W, C]``."""
        frame_bytes = 3 * size[0] * size[1]
        count = max(min(_RING_BYTES // frame_bytes, _MOST_SLOTS), _FEWEST_SLOTS)
        self._send({"begin": [count, *size, 3]})
        have: int = self._receive()["bytes"]
        if self._map is None or len(self._map) != have:
            self._map = mmap.mmap(self._memory, have)
        array = np.frombuffer(self._map, np.uint8, count * frame_bytes)
        return array.reshape(count, *size, 3)

    def _tell_damage(self, number: int, seconds: float | None, words: str) -> None:
        self._send({"damage": [number, seconds, words]})

    def _show_life(self) -> None:
        now = time.monotonic()
        if now - self._heard_of > SIGN_OF_LIFE_SECONDS:
            self._send({"alive": True})

    def _send(self, message: dict[str, Any]) -> None:
        self._heard_of = time.monotonic()
        self._connection.send_bytes(json.dumps(message).encode())

    def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._connection.recv_bytes())
        return message


def _shown(file: VideoFile, request: dict[str, Any]) -> Iterator[tuple[Shown, int]]:
    start, stop, rate = request["start"], request["stop"], request["rate"]
    if request["seconds"] is not None:
        yield from file.frames_at(request["seconds"])
    elif rate is not None:
        yield from file.frames_at(file.grid(start, stop, rate))
    else:
        for shown in file.frames(start, stop):
            yield shown, 1


def _limit_memory() -> None:
    import resource

    # Where a system has no such limit, the largest frame still has one.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def main() -> None:
    """Serve the parent that started this process."""
    _limit_memory()
    listen()
    # A parent that was killed takes its end of the connection with it.
    with contextlib.suppress(EOFError, OSError):
        Child(Connection(int(sys.argv[1])), int(sys.argv[2])).serve()


if __name__ == "__main__":
    main()
