"""Opening a video file, and all of its time stamps without decoding a frame."""

from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from unrolled.errors import ReaderError

# No playlists, pipes or text art: a stranger's file must not make the decoder open other files.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,obu,ivf,flv,"
    "asf,ogg,gif,apng,nut,mxf,dv,wav,mp3,flac,aac,aiff"
)
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
_KEPT = 64  # indexes of files
_FALLBACK_RATE = Fraction(25)


class Index(NamedTuple):
    """Every packet of a video.

    Args:
        pts: of the frames that will come, ascending, in units of the time base.
        keys: pts of those from which decoding can begin, ascending.
        exact: every packet has a pts of its own, so that a frame is known by it.
        end_seconds: when the last frame has been shown.
    """

    pts: list[int]
    keys: list[int]
    exact: bool
    end_seconds: float


def open_container(path: Path) -> InputContainer:
    """Open a file that holds a video.

    Raises:
        ReaderError: it is missing, a folder, empty, no video, or sound alone.
    """
    if not path.is_file():
        got = "a folder" if path.is_dir() else "nothing there"
        raise ReaderError(f"a video at {path}", got, "check the path")
    if not path.stat().st_size:
        raise ReaderError(f"a video at {path}", "an empty file")
    try:
        container = av.open(str(path), options=_OPTIONS)
    except (av.error.FFmpegError, ValueError, OSError) as error:
        words = getattr(error, "strerror", "") or str(error)
        known = isinstance(error, av.error.ArgumentError | av.error.InvalidDataError)
        got = "a file that is none, or whose beginning is damaged or missing" if known else words
        raise ReaderError(f"a video at {path}", got) from None
    if not container.streams.video:
        holds = "sound alone" if container.streams.audio else "no pictures"
        container.close()
        raise ReaderError(f"a video at {path}", f"a file that holds {holds}")
    if container.streams.video[0].codec_context is None:
        container.close()
        raise ReaderError(f"a video at {path}", "one in a code that has no decoder here")
    return container


def rate_of(stream: VideoStream) -> Fraction:
    """Return the frames per second that a stream announces, or else likely has."""
    return stream.average_rate or stream.guessed_rate or _FALLBACK_RATE


def index_of(path: Path) -> Index:
    """Go through all packets; a file that has not changed since is not gone through again."""
    stat = path.stat()
    return _index(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=_KEPT)
def _index(path: Path, _size: int, _changed: int) -> Index:
    stamps: list[tuple[int, bool]] = []
    exact = True
    with open_container(path) as container:
        stream = container.streams.video[0]
        time_base, rate = stream.time_base or 1 / _FALLBACK_RATE, rate_of(stream)
        try:
            for packet in container.demux(stream):
                if not packet.size or packet.is_discard:
                    continue
                pts, dts = packet.pts, packet.dts
                exact = exact and pts is not None
                known = pts if pts is not None else dts
                known = round(len(stamps) / (rate * time_base)) if known is None else known
                stamps.append((known, packet.is_keyframe))
        except (av.error.FFmpegError, ValueError, OSError):
            exact = False  # what is wrong is told by whoever decodes it
    stamps.sort()
    times = [stamp[0] for stamp in stamps]
    last = times[-1] if times else 0
    return Index(
        times,
        keys=[stamp[0] for stamp in stamps if stamp[1]],
        exact=exact and len(set(times)) == len(times) > 0,
        end_seconds=float(last * time_base + 1 / rate),
    )
