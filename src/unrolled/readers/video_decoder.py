"""One frame after the other, each with its time; damage is told, and what follows it kept."""

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from unrolled.readers.video_index import rate_of

MAX_PIXELS = 2**25  # of a frame, 8K; what announces more is not decoded
_ERRORS = (av.error.FFmpegError, ValueError, OSError)
# A frame that no other refers to can be left out here without a trace in the others.
_SKIPPABLE = ("h264",)
# After damage a decoder may bring frames out of order: some are then held, and sorted.
_HELD, _MOST_LATE = 4, 16

_heard: list[tuple[int, str, str]] = []


class Shown(NamedTuple):
    """A decoded frame and when it begins to be shown."""

    frame: av.VideoFrame
    seconds: float


def listen() -> None:
    """Hear what the decoder complains of: it conceals damage, and says so nowhere else.

    This is for a process that does nothing but decode: the log is one for all of it.
    """
    global _heard
    av.logging.set_skip_repeated(False)
    av.logging.set_level(av.logging.ERROR)
    _heard = av.logging.Capture(local=False).__enter__()


class Decoder:
    """The frames of an open video, in the order in which they are shown.

    Args:
        container: the open file.
        on_damage: is told the frame's number, its seconds (None if unknown) and what is wrong.
        on_work: is called after every packet.
    """

    def __init__(
        self,
        container: InputContainer,
        on_damage: Callable[[int, float | None, str], None],
        on_work: Callable[[], None],
    ) -> None:
        self._container, self._stream = container, container.streams.video[0]
        self._on_damage, self._on_work = on_damage, on_work
        context = self._stream.codec_context
        context.thread_type = "SLICE"  # errors come with their packet, as frames by turns would not
        context.thread_count = 0
        context.options = {"max_pixels": str(MAX_PIXELS)}
        self._context = context
        self._time_base = self._stream.time_base or 1 / rate_of(self._stream)
        self._step_seconds = float(1 / rate_of(self._stream))
        # AVI stores no pts, and those that are guessed for B-frames come out of order.
        self.by_order = container.format.name == "avi" and bool(context.has_b_frames)
        self._skipping = False
        self._begin(from_start=True)

    def seek(self, stamp: int) -> None:
        """Go to the key frame at or before a time stamp."""
        self._container.seek(stamp, stream=self._stream)
        self._begin(from_start=False)

    def read(self, wanted: set[int] | None = None) -> Shown | None:
        """Return the next frame, None at the end.

        Args:
            wanted: pts of the frames that matter; others may be left out where that saves work.
        """
        while not self._pending and not self._ended:
            self._decode(wanted)
        return self._pending.popleft() if self._pending else None

    def _begin(self, *, from_start: bool) -> None:
        self._packets = self._container.demux(self._stream)
        self._pending: deque[Shown] = deque()
        self._ended, self._from_start = False, from_start
        self._number = 0
        self._last: float | None = None
        self._late, self._ahead = 0, 0.0
        self._held: list[tuple[float, int, av.VideoFrame]] = []
        self._taken = self._hold_until = 0
        self._order: list[int] = []
        _heard.clear()

    def _decode(self, wanted: set[int] | None) -> None:
        frames: list[av.VideoFrame] = []
        packet, words = None, ""
        try:
            packet = next(self._packets)
            self._skip(wanted is not None and packet.pts is not None and packet.pts not in wanted)
            if self.by_order and packet.size and packet.dts is not None:
                heappush(self._order, packet.dts)
            frames = packet.decode()
        except StopIteration:
            self._ended = True
        except _ERRORS as error:
            words = getattr(error, "strerror", None) or str(error) or type(error).__name__
            self._ended = packet is None or not packet.size
            if self._order and packet is not None:
                heappop(self._order)
        if words or _heard:
            self._hold_until = self._taken + _MOST_LATE
        for frame in frames:
            self._take(frame)
        if self._ended:
            self._release(0)
        self._tell(packet, words, any(frame.is_corrupt for frame in frames))
        self._on_work()

    def _skip(self, skip: bool) -> None:
        skip = skip and self._context.name in _SKIPPABLE
        if skip != self._skipping:
            self._context.skip_frame = "NONREF" if skip else "DEFAULT"
            self._skipping = skip

    def _take(self, frame: av.VideoFrame) -> None:
        stamp = frame.pts if frame.pts is not None else frame.dts
        if self._order:
            stamp = heappop(self._order)
        if stamp is not None:
            seconds = self._seconds(stamp)
        else:
            seconds = 0.0 if self._last is None else self._last + self._step_seconds
        heappush(self._held, (seconds + self._ahead, self._taken, frame))
        self._taken += 1
        self._release(_HELD if self._taken < self._hold_until else 0)

    def _seconds(self, stamp: int) -> float:
        # The quotient of two whole numbers is rounded as a Fraction is, and takes a tenth as long.
        return stamp * self._time_base.numerator / self._time_base.denominator

    def _release(self, keep: int) -> None:
        """Hand on the frames that are held, the earliest first; one that comes too late is lost."""
        while len(self._held) > keep:
            seconds, _, frame = heappop(self._held)
            if self._last is None or seconds > self._last:
                self._pending.append(Shown(frame, seconds))
                self._last, self._late = seconds, 0
                self._number += 1
                continue
            words = f"the frame of {seconds:.3f} s comes after a later one and is left out"
            self._on_damage(self._number, seconds, words)
            self._late += 1
            if self._late > _MOST_LATE:  # it is the later one that was wrong
                self._ahead += self._last + self._step_seconds - seconds

    def _tell(self, packet: "av.Packet[VideoStream] | None", words: str, corrupt: bool) -> None:
        if packet is not None and not (words or _heard or corrupt):
            return  # as nearly always
        heard = [message.strip() for _, _, message in _heard]
        _heard.clear()
        if packet is None and not words and not heard:
            self._tell_missing()
            return
        said = words or (heard[0] if heard else "the picture is damaged")
        seconds = None
        if packet is not None and packet.pts is not None:
            seconds = self._seconds(packet.pts)
        self._on_damage(self._number, seconds if seconds is not None else self._last, said)

    def _tell_missing(self) -> None:
        missing = self._stream.frames - self._number
        if self._from_start and self._number and missing > 0:
            self._on_damage(
                self._number, self._last, f"{missing} of {self._stream.frames} frames are missing"
            )
