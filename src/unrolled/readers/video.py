"""Videos: the right frames at the right times, and what is damaged in them.

Decoding runs in a process of its own (``video_process.py``), which is kept warm, so that a file
that crashes the decoder costs that file. Needs the extra ``video`` (PyAV).
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.clip import Clip, Frame
from unrolled.readers.video_process import Damage, Picture, own_process

__all__ = [
    "Damage",
    "DamagedVideoWarning",
    "VideoInfo",
    "iterate_frames",
    "probe",
    "read_clip",
    "read_frames",
    "warn_of_damage",
]


class DamagedVideoWarning(UserWarning):
    """A video is damaged, and read as far as it can be."""


class VideoInfo(NamedTuple):
    """What a video file says of itself.

    Args:
        path: of the file.
        width: of the pictures as they are shown.
        height: of the pictures as they are shown.
        frames_per_second: the average, or what is announced.
        duration_seconds: from the first frame to the end of the last.
        frame_count: as announced, or counted where nothing is.
        codec: FFmpeg's name of it.
        rotation_degrees: how far the stored pictures are turned to be shown, anticlockwise.
        start_seconds: when the first frame begins; not 0 in every file.
    """

    path: Path
    width: int
    height: int
    frames_per_second: float
    duration_seconds: float
    frame_count: int
    codec: str
    rotation_degrees: int
    start_seconds: float


def warn_of_damage(damage: Damage) -> None:
    """Issue a ``DamagedVideoWarning``."""
    warnings.warn(str(damage), DamagedVideoWarning, stacklevel=3)


def probe(path: str | Path) -> VideoInfo:
    """Return what a video says of itself; its first frame is decoded.

    Raises:
        ReaderError: it is missing, no video, holds sound alone, or no frame can be decoded.
    """
    info = own_process().probe(path)
    return VideoInfo(**{**info, "path": Path(path)})


def read_clip(
    path: str | Path,
    *,
    start_seconds: float | None = None,
    stop_seconds: float | None = None,
    frames_per_second: float | None = None,
    height: int | None = None,
    width: int | None = None,
    on_damage: Callable[[Damage], None] = warn_of_damage,
) -> Clip:
    """Read a stretch of a video.

    At a rate, the clip has the frame shown at each of the times ``start + t / rate`` before the
    stop, by the file's time stamps; without one, every frame that begins in the stretch.

    Args:
        path: of the video.
        start_seconds: by the file's time stamps; None for the first frame.
        stop_seconds: not included; None for the end.
        frames_per_second: the wanted rate; None for the frames that there are.
        height: of the pictures. One of height and width alone keeps the shape of the picture; both
            cover the wanted size, and what stands over is cropped around the middle.
        width: of the pictures.
        on_damage: is told of damage; the frames after it are read all the same.
    Raises:
        ReaderError: there is no frame in the stretch, or nothing can be read.
        ConfigError: an impossible stretch, rate or size.
    """
    _check(start_seconds, stop_seconds, frames_per_second, height, width)
    pictures = own_process().pictures(
        path,
        on_damage=on_damage,
        start_seconds=start_seconds,
        stop_seconds=stop_seconds,
        frames_per_second=frames_per_second,
        height=height,
        width=width,
    )
    clip = _stack(pictures)
    if clip is None:
        stretch = f"{start_seconds or 0:g} s to " + (
            "the end" if stop_seconds is None else f"{stop_seconds:g} s"
        )
        raise ReaderError(f"frames in {path} from {stretch}", "none")
    return clip


def read_frames(
    path: str | Path,
    seconds: Sequence[float],
    *,
    height: int | None = None,
    width: int | None = None,
    on_damage: Callable[[Damage], None] = warn_of_damage,
) -> Clip:
    """Read the frame that is shown at each of some times, in any order.

    Before the first frame that is the first one, after the end the last one. Times are grouped by
    the key frame that decoding begins from, and each group is gone through once, forward.

    Args:
        path: of the video.
        seconds: times, in any order; ``pts_seconds`` says when the frames shown then begin.
        height: of the pictures, as in ``read_clip``.
        width: of the pictures.
        on_damage: is told of damage.
    Raises:
        ReaderError: nothing can be read.
        ConfigError: no times, one that is not finite, or an impossible size.
    """
    _check(None, None, None, height, width)
    times = [float(time) for time in seconds]
    if not times or not np.isfinite(times).all():
        raise ConfigError("at least one time, and all finite", f"{times[:5]}")
    order = np.argsort(times, kind="stable")
    clip = _stack(
        own_process().pictures(
            path,
            on_damage=on_damage,
            seconds=[times[place] for place in order],
            height=height,
            width=width,
        )
    )
    if clip is None:
        raise ReaderError(f"frames in {path}", "none that can be decoded")
    places = torch.from_numpy(np.argsort(order, kind="stable"))
    if bool((places[1:] >= places[:-1]).all()):
        return clip
    return Clip(clip.frames[places], clip.pts_seconds[places])


def iterate_frames(
    path: str | Path,
    *,
    start_seconds: float | None = None,
    stop_seconds: float | None = None,
    frames_per_second: float | None = None,
    height: int | None = None,
    width: int | None = None,
    on_damage: Callable[[Damage], None] = warn_of_damage,
) -> Iterator[Frame]:
    """Yield the frames that ``read_clip`` would, one at a time, in the memory of a few.

    Args:
        path: of the video.
        start_seconds: as in ``read_clip``.
        stop_seconds: as in ``read_clip``.
        frames_per_second: as in ``read_clip``.
        height: as in ``read_clip``.
        width: as in ``read_clip``.
        on_damage: is told of damage.
    Raises:
        ReaderError: nothing can be read.
        ConfigError: an impossible stretch, rate or size.
    """
    _check(start_seconds, stop_seconds, frames_per_second, height, width)
    for picture in own_process().pictures(
        path,
        on_damage=on_damage,
        start_seconds=start_seconds,
        stop_seconds=stop_seconds,
        frames_per_second=frames_per_second,
        height=height,
        width=width,
    ):
        pixels = torch.from_numpy(picture.pixels.copy()).permute(2, 0, 1)
        yield from repeat(Frame(pixels, picture.seconds), picture.times)


def _stack(pictures: Iterator[Picture]) -> Clip | None:
    """Copy pictures out of shared memory, ``[H, W, C]`` to ``[C, H, W]`` on the way."""
    frames, seconds, counts = [], [], []
    for picture in pictures:
        frames.append(np.ascontiguousarray(picture.pixels.transpose(2, 0, 1)))
        seconds.append(picture.seconds)
        counts.append(picture.times)
    if not frames:
        return None
    stacked = np.empty((sum(counts), *frames[0].shape), np.uint8)
    place = 0
    for frame, count in zip(frames, counts, strict=True):
        stacked[place : place + count] = frame
        place += count
    return Clip(torch.from_numpy(stacked), torch.from_numpy(np.repeat(seconds, counts)))


def _check(
    start_seconds: float | None,
    stop_seconds: float | None,
    frames_per_second: float | None,
    height: int | None,
    width: int | None,
) -> None:
    if start_seconds is not None and stop_seconds is not None and stop_seconds <= start_seconds:
        raise ConfigError(
            "stop_seconds after start_seconds", f"{start_seconds:g} to {stop_seconds:g}"
        )
    for name, value in (
        ("frames_per_second", frames_per_second),
        ("height", height),
        ("width", width),
    ):
        if value is not None and not 0 < value < float("inf"):
            raise ConfigError(f"{name} above 0", str(value))
