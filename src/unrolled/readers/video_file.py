"""A video file, decoded: the right frame at the right time, in order or here and there.

This is what runs in the child process (``video_child.py``), so it knows numpy and PyAV alone.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from unrolled.errors import ReaderError
from unrolled.readers.video_decoder import Decoder, Shown
from unrolled.readers.video_index import Index, index_of, open_container, rate_of

_SAME_SECONDS = 1e-6  # a time that was rounded still means the frame that begins there
_QUARTER_DEGREES = 90
# Containers that seek to the very key frame that is asked for, and whose headers know durations.
_PRECISE = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "flv", "avi", "gif")


class VideoFile:
    """An open video.

    Args:
        path: of the file.
        on_damage: is told the frame's number, its seconds (None if unknown) and what is wrong.
        on_work: is called after every packet.
    Raises:
        ReaderError: it is missing, no video, or holds sound alone.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        on_damage: Callable[[int, float | None, str], None] = lambda *_: None,
        on_work: Callable[[], None] = lambda: None,
    ) -> None:
        self.path = Path(path)
        self._on_damage, self._on_work = on_damage, on_work
        self._trusted_from: float | None = None
        self._open()

    def __enter__(self) -> "VideoFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def _open(self) -> None:
        self._container = open_container(self.path)
        self._stream = self._container.streams.video[0]
        self._decoder = Decoder(self._container, self._hear, self._on_work)
        self._precise = self._container.format.name in _PRECISE

    def info(self) -> dict[str, Any]:
        """Return what ``video.VideoInfo`` holds; the first frame is decoded for it.

        Raises:
            ReaderError: no frame can be decoded.
        """
        first = self._decoder.read()
        if first is None:
            raise ReaderError(f"frames in {self.path}", "none that can be decoded")
        stream = self._stream
        height, width = shown_size(first.frame)
        known = self._precise and stream.frames and stream.duration
        index = None if known else index_of(self.path)
        seconds = float((stream.duration or 0) * (stream.time_base or 0))
        return {
            "path": str(self.path),
            "width": width,
            "height": height,
            "frames_per_second": float(rate_of(stream)),
            "duration_seconds": index.end_seconds - first.seconds if index else seconds,
            "frame_count": stream.frames or (len(index.pts) if index else 0),
            "codec": stream.codec_context.codec.name,
            "rotation_degrees": first.frame.rotation % 360,
            "start_seconds": first.seconds,
        }

    def frames(
        self, start_seconds: float | None = None, stop_seconds: float | None = None
    ) -> Iterator[Shown]:
        """Yield the frames that begin at ``start_seconds`` or later and before ``stop_seconds``."""
        if start_seconds is not None and self._precise and not self._decoder.by_order:
            index = index_of(self.path)
            number = bisect_right(index.keys, self._stamp(start_seconds)) - 1
            if index.exact and number > 0:
                self._decoder.seek(index.keys[number])
        while (shown := self._decoder.read()) is not None:
            if stop_seconds is not None and shown.seconds >= stop_seconds - _SAME_SECONDS:
                return
            if start_seconds is None or shown.seconds >= start_seconds - _SAME_SECONDS:
                yield shown

    def frames_at(self, seconds: Sequence[float]) -> Iterator[tuple[Shown, int]]:
        """Yield the frame shown at each of the ascending times, and how many times it answers.

        Before the first frame it is the first, after the end the last. The answer is that of
        decoding everything; where damage would make it another one, everything is decoded.
        """
        index, answered = index_of(self.path), 0
        if index.exact and not self._decoder.by_order:
            try:
                for shown, count in self._picked(index, seconds):
                    yield shown, count
                    answered += count
                return
            except _LostError:
                self._container.close()
                self._open()
            finally:
                self._trusted_from = None
        yield from self._shown_at(seconds[answered:])

    def grid(
        self, start_seconds: float | None, stop_seconds: float | None, frames_per_second: float
    ) -> list[float]:
        """Return the times at a rate from ``start_seconds`` until the end or ``stop_seconds``."""
        index = index_of(self.path)
        begin = float(index.pts[0] * (self._stream.time_base or 0)) if index.pts else 0.0
        begin = begin if start_seconds is None else start_seconds
        end = index.end_seconds if stop_seconds is None else min(stop_seconds, index.end_seconds)
        count = int((end - begin - _SAME_SECONDS) * frames_per_second) + 1
        return [begin + number / frames_per_second for number in range(max(count, 0))]

    def _picked(self, index: Index, seconds: Sequence[float]) -> Iterator[tuple[Shown, int]]:
        """Decode forward what the wanted frames need, from key frame to key frame."""
        places = (max(bisect_right(index.pts, self._stamp(t)) - 1, 0) for t in seconds)
        wanted = Counter(index.pts[place] for place in places)
        reached: int | None = None
        self._trusted_from = -math.inf
        for target, count in wanted.items():
            number = bisect_right(index.keys, target) - 1
            ahead = number > 0 and (reached is None or index.keys[number] > reached)
            if ahead and self._precise:
                self._decoder.seek(index.keys[number])
                # Frames shown before the key frame may refer to what was jumped over.
                self._trusted_from = float(index.keys[number] * (self._stream.time_base or 0))
            shown = self._decoder.read(set(wanted))
            while shown is not None and (shown.frame.pts or 0) < target:
                shown = self._decoder.read(set(wanted))
            if shown is None or shown.frame.pts != target:
                raise _LostError
            reached = target
            yield shown, count

    def _shown_at(self, seconds: Sequence[float]) -> Iterator[tuple[Shown, int]]:
        before, answered = None, 0
        while answered < len(seconds) and (shown := self._decoder.read()) is not None:
            count = 0
            while answered + count < len(seconds) and (
                seconds[answered + count] < shown.seconds - _SAME_SECONDS
            ):
                count += 1
            if count:
                yield before or shown, count
                answered += count
            before = shown
        if before is not None and answered < len(seconds):
            yield before, len(seconds) - answered

    def _stamp(self, seconds: float) -> int:
        return math.floor((seconds + _SAME_SECONDS) / (self._stream.time_base or 1))

    def _hear(self, number: int, seconds: float | None, words: str) -> None:
        if self._trusted_from is None:
            self._on_damage(number, seconds, words)
        elif seconds is None or seconds >= self._trusted_from:
            raise _LostError


class _LostError(Exception):
    """A frame that the index promises did not come, or not whole."""


def shown_size(frame: av.VideoFrame) -> tuple[int, int]:
    """Return height and width as they are shown."""
    turned = frame.rotation % 180 == _QUARTER_DEGREES
    return (frame.width, frame.height) if turned else (frame.height, frame.width)


def fitted_size(
    size: tuple[int, int], height: int | None, width: int | None
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the size to resize to, and the size to crop its middle to.

    One of height and width alone keeps the shape of the picture; both together cover the picture
    that is asked for, and what stands over is cropped.
    """
    if height is None and width is None:
        return size, size
    scale = max((height or 0) / size[0], (width or 0) / size[1])
    whole = (max(round(size[0] * scale), 1), max(round(size[1] * scale), 1))
    whole = (max(whole[0], height or 0), max(whole[1], width or 0))
    return whole, (height or whole[0], width or whole[1])


class Converter:
    """From the decoder's frames to red, green and blue, turned, resized and cropped.

    Args:
        first: the frame whose size the others take.
        height: of what comes out; None keeps the shape of the picture.
        width: of what comes out.
    """

    def __init__(self, first: av.VideoFrame, height: int | None, width: int | None) -> None:
        self._whole, self.size = fitted_size(shown_size(first), height, width)
        self._reformatter = VideoReformatter()  # one for all: it keeps its tables

    def write(self, frame: av.VideoFrame, into: np.ndarray) -> None:
        """Write a frame into an array ``[H, W, C]``."""
        turns = frame.rotation // _QUARTER_DEGREES
        height, width = self._whole[::-1] if turns % 2 else self._whole
        colour = self._reformatter.reformat(
            frame, width=width, height=height, format="rgb24", interpolation="BILINEAR", threads=1
        )
        plane = colour.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        pixels = rows[:, : 3 * width].reshape(height, width, 3)
        pixels = np.rot90(pixels, turns) if turns else pixels
        top, left = ((w - s) // 2 for w, s in zip(self._whole, self.size, strict=True))
        into[...] = pixels[top : top + self.size[0], left : left + self.size[1]]
