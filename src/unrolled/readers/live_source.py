"""Video as it comes: a file, a pipe, a camera or an address, at the rate that a model wants.

A thread reads, so that whoever labels never waits for a decoder and can be stopped at any time.
"""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import NamedTuple, Self

import torch
from jaxtyping import UInt8
from torch import Tensor

from unrolled.errors import ReaderError
from unrolled.readers.addresses import Address, parse_address
from unrolled.readers.mailbox import Mailbox, interruptibly
from unrolled.readers.opened import Opened, open_address
from unrolled.readers.resampling import Resampler
from unrolled.readers.video_process import VideoProcess

Pixels = Callable[[], UInt8[Tensor, "C H W"]]
_LONGEST_HOLD_SECONDS = 1.0  # of a live source; a recording is held for as long as it says
_LONGEST_WAIT_SECONDS = 30.0
_KEPT_DAMAGES = 20


class LiveFrame(NamedTuple):
    """One frame of a source.

    Args:
        pixels: ``[C, H, W]`` uint8, red green blue.
        seconds: when it was shown, from the first frame of the source.
        due_seconds: the same on the clock of ``time.monotonic``; a recording plays from its first
            frame on.
        skipped: frames left out before it.
    """

    pixels: UInt8[Tensor, "C H W"]
    seconds: float
    due_seconds: float
    skipped: int


class Loss(NamedTuple):
    """A source that gives no more for now.

    Args:
        name: of the source.
        seconds: how long it had run.
        reason: what came instead of a frame.
        wait_seconds: after which it is tried again.
    """

    name: str
    seconds: float
    reason: str
    wait_seconds: float

    def __str__(self) -> str:
        return (
            f"{self.name} was lost after {self.seconds:.1f} s ({self.reason}); "
            f"trying again in {self.wait_seconds:g} s"
        )


class _Wanted(NamedTuple):
    pixels: Pixels  # made only for a frame that somebody takes
    seconds: float
    due_seconds: float


class LiveSource:
    """The frames of a source, resampled by their times; to be used in a ``with`` statement.

    A live source (camera, rtsp, a stream without an end) gives the newest frame and says how many
    were skipped; if it is lost it is tried again, after 0.5 s, 1 s, 2 s ... 30 s. Files, pipes and
    recordings skip nothing.

    Args:
        source: see ``parse_address``.
        frames_per_second: that the model wants; None takes the frames as they are.
        live: whether it is live, where it is not as the address says.
        on_lost: is told of every loss, in the thread that reads.
        give_up_seconds: with no frame for so long, an end is made of it; None tries for ever.
        first_wait_seconds: before the first new try.
    Raises:
        ReaderError: there is no such source, or no video in it; or, while frames are read, a
            recording breaks off or a live source is given up.
    Source: none.
    """

    def __init__(
        self,
        source: str,
        *,
        frames_per_second: float | None = None,
        live: bool | None = None,
        on_lost: Callable[[Loss], None] = lambda _: None,
        give_up_seconds: float | None = None,
        first_wait_seconds: float = 0.5,
    ) -> None:
        self.address: Address = parse_address(source)
        self.is_live = bool(self.address.is_live if live is None else live)
        self._opened: Opened | None = None
        if not self.address.is_file:
            self._opened = interruptibly(partial(open_address, self.address))
            if live is None and self.address.is_live is None:
                self.is_live = not self._opened.has_an_end
        self.on_lost = on_lost
        self.give_up_seconds, self.first_wait_seconds = give_up_seconds, first_wait_seconds
        self.damages: list[str] = []  # what could not be read, each in a few words
        self.damaged = 0  # how much of it there was; not all of it is kept in words
        self._resampler: Resampler[Pixels] = Resampler(
            frames_per_second,
            usual_seconds=self._opened.usual_seconds if self._opened else 0.0,
            longest_hold_seconds=_LONGEST_HOLD_SECONDS if self.is_live else None,
        )
        self._box: Mailbox[_Wanted] = Mailbox(newest=self.is_live)
        self._error: Exception | None = None
        self._began = self._last = time.monotonic()  # of the first and the last frame
        self._wait_seconds = first_wait_seconds
        self._thread = threading.Thread(target=self._read, name="live source", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._box.close()
        self._thread.join(timeout=1.0)  # one that waits for a pipe is left behind

    def __iter__(self) -> Iterator[LiveFrame]:
        while (got := self._box.get()) is not None:
            one, skipped = got
            yield LiveFrame(one.pixels(), one.seconds, one.due_seconds, skipped)
        if self._error is not None:
            raise self._error

    # In the thread that reads

    def _read(self) -> None:
        try:
            if self._opened is None:
                self._read_file()
                return
            while (reason := self._read_to_the_end()) is not None and self._open_again(reason):
                pass
        except Exception as error:  # whoever iterates is told, not this thread's stderr
            self._error = error
        finally:
            self._box.close()

    def _read_file(self) -> None:
        """Put the frames that ``read_clip`` would give; a process of their own decodes them."""
        rate, first, number = self._resampler.frames_per_second, None, 0
        with VideoProcess() as process:
            for picture in process.pictures(
                self.address.name, on_damage=lambda d: self._damage(str(d)), frames_per_second=rate
            ):
                if first is None:
                    self._began, first = time.monotonic(), picture.seconds
                pixels = torch.from_numpy(picture.pixels.copy()).permute(2, 0, 1)
                times = [
                    picture.seconds - first if rate is None else (number + n) / rate
                    for n in range(picture.times)
                ]
                number += picture.times
                if not self._put([(partial(_same, pixels), seconds) for seconds in times]):
                    return

    def _read_to_the_end(self) -> str | None:
        """Put all frames in the box; return why there are no more, or None where all is done."""
        assert self._opened is not None
        reason = "the stream ended"
        with self._opened as opened:
            try:
                for frame in opened:
                    if self._resampler.is_empty:
                        self._began = time.monotonic()
                    pixels = partial(opened.pixels, frame)
                    if not self._put(self._resampler.push(pixels, frame.time)):
                        return None
            except OSError as error:
                reason = error.strerror or str(error)
            for _ in range(opened.damaged):
                self._damage("a packet that no frame could be made of")
        if self.is_live:
            return reason
        self._put(self._resampler.finish())
        if reason != "the stream ended" or self._resampler.is_empty:
            after = f"{reason} after {self._resampler.seconds:.2f} s"
            raise ReaderError(f"{self.address.name} to go on", after, self.address.cure)
        return None

    def _damage(self, words: str) -> None:
        self.damaged += 1
        if len(self.damages) < _KEPT_DAMAGES:
            self.damages.append(words)

    def _put(self, pairs: list[tuple[Pixels, float]]) -> bool:
        self._last = time.monotonic()
        self._wait_seconds = self.first_wait_seconds
        # A live frame came just now; the times before it that are wanted were due before.
        zero = self._last - self._resampler.seconds if self.is_live else self._began
        return self._box.put([_Wanted(pixels, t, zero + t) for pixels, t in pairs])

    def _open_again(self, reason: str) -> bool:
        """Try until the source is there again; return False where nobody waits for it."""
        while True:
            gone, wait = time.monotonic() - self._last, self._wait_seconds
            if self.give_up_seconds is not None and gone + wait > self.give_up_seconds:
                got = f"none for {gone:.1f} s: {reason}"
                raise ReaderError(f"frames of {self.address.name}", got)
            self.on_lost(Loss(self.address.name, self._last - self._began, reason, wait))
            self._wait_seconds = min(2 * wait, _LONGEST_WAIT_SECONDS)
            if self._box.wait_closed(wait):
                return False
            try:
                self._opened = open_address(self.address)
            except ReaderError as error:
                reason = error.got
                continue
            self._resampler.begin_anew(time.monotonic() - self._began)
            return True


def _same(pixels: UInt8[Tensor, "C H W"]) -> UInt8[Tensor, "C H W"]:
    return pixels
