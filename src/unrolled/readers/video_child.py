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
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from unrolled.errors import ReaderError
from unrolled.readers.mailbox import Mailbox
from unrolled.readers.video_decoder import Shown, listen
from unrolled.readers.video_file import Converter, VideoFile

SIGN_OF_LIFE_SECONDS = 1.0
_MEMORY_BYTES = 4 * 2**30
_RING_BYTES, _MOST_SLOTS, _FEWEST_SLOTS = 32 * 2**20, 8, 2
_AHEAD = 2  # frames that are decoded while an earlier one is converted

Message = dict[str, Any]
Outbox = Mailbox[Message | tuple[Shown, int]]  # a frame goes out as the message of where it lies


class Child:
    """One end of the conversation.

    While one thread decodes, another converts, and sends everything in its order.

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
                request = self.receive()
            except (EOFError, OSError):
                return
            if "do" not in request:
                continue  # it was for a request that has ended
            try:
                self._answer(request)
                self.send({"end": True})
            except ReaderError as error:
                self.send({"error": [error.expected, error.got, error.cure]})
            except Exception as error:  # whatever a file may cause, it costs this file alone
                words = getattr(error, "strerror", None) or str(error) or type(error).__name__
                self.send({"error": [f"a video at {request['path']}", words, ""]})

    def _answer(self, request: Message) -> None:
        os.chdir(request["folder"])
        outbox = Outbox(newest=False, capacity=_AHEAD)
        with ThreadPoolExecutor(1) as threads:
            sending = threads.submit(self._deliver, outbox, request)
            try:
                self._read(request, outbox)
            finally:
                outbox.close()
        sending.result()

    def _read(self, request: Message, outbox: Outbox) -> None:
        def tell_damage(number: int, seconds: float | None, words: str) -> None:
            outbox.put([{"damage": [number, seconds, words]}])

        def show_life() -> None:
            if time.monotonic() - self._heard_of > SIGN_OF_LIFE_SECONDS:
                outbox.put([{"alive": True}])

        with VideoFile(request["path"], on_damage=tell_damage, on_work=show_life) as file:
            if request["do"] == "probe":
                outbox.put([{"info": file.info()}])
                return
            for frame in _shown(file, request):
                if not outbox.put([frame]):
                    return

    def _deliver(self, outbox: Outbox, request: Message) -> None:
        """Send what is put into the outbox until its end, or until the parent leaves."""
        frames = _Frames(self, request)
        with contextlib.closing(outbox):
            while (got := outbox.get()) is not None:
                item, _ = got
                if isinstance(item, dict):
                    frames.send()
                    self.send(item)
                elif not frames.add(*item):
                    return
            frames.send()

    def map_memory(self, size: int) -> mmap.mmap:
        """Return the shared memory, which the parent has made so large."""
        if self._map is None or len(self._map) != size:
            self._map = mmap.mmap(self._memory, size)
        return self._map

    def send(self, message: Message) -> None:
        """Send a message to the parent."""
        self._heard_of = time.monotonic()
        self._connection.send_bytes(json.dumps(message).encode())

    def receive(self) -> Message:
        """Wait for a message of the parent."""
        message: Message = json.loads(self._connection.recv_bytes())
        return message


class _Frames:
    """Frames on their way through the shared memory, several to a message: messages cost time.

    Args:
        child: sends them.
        request: says what size they are to have.
    """

    def __init__(self, child: Child, request: Message) -> None:
        self._child, self._request = child, request
        self._converter: Converter | None = None  # with the first frame
        self._free: list[int] = []
        self._written: list[tuple[int, float, int]] = []

    def add(self, shown: Shown, count: int) -> bool:
        """Write a frame as soon as there is room; return False where the parent has left."""
        if self._converter is None:
            self._converter = Converter(
                shown.frame, self._request["height"], self._request["width"]
            )
            self._slots = self._make_room(self._converter.size)
            self._free = [*range(len(self._slots))]
        while not self._free:
            message = self._child.receive()
            if "leave" in message:
                return False
            self._free += message["free"]
        slot = self._free.pop(0)
        self._converter.write(shown.frame, self._slots[slot])
        self._written.append((slot, shown.seconds, count))
        if len(self._written) >= len(self._slots) // 2:  # the parent reads the other half
            self.send()
        return True

    def send(self) -> None:
        """Send what has been written."""
        if self._written:
            self._child.send({"frames": self._written})
            self._written.clear()

    def _make_room(self, size: tuple[int, int]) -> np.ndarray:
        """Agree with the parent on the memory for frames ``[slots, H, W, C]``."""
        frame_bytes = 3 * size[0] * size[1]
        count = max(min(_RING_BYTES // frame_bytes, _MOST_SLOTS), _FEWEST_SLOTS)
        self._child.send({"begin": [count, *size, 3]})
        memory = self._child.map_memory(self._child.receive()["bytes"])
        return np.frombuffer(memory, np.uint8, count * frame_bytes).reshape(count, *size, 3)


def _shown(file: VideoFile, request: Message) -> Iterator[tuple[Shown, int]]:
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
