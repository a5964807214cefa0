"""What a user may call a source of video, and how FFmpeg is told of it."""

import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path

from unrolled.errors import ReaderError

_LIVE = ("rtsp://", "rtsps://", "rtmp://", "rtmps://", "rtp://", "udp://", "srt://", "tcp://")
_WEB = ("http://", "https://")
_PIPE_CURE = "an mp4 in a pipe needs -movflags frag_keyframe+empty_moov; or send -f matroska"
_CAMERA_CURE = "list cameras with: ls /dev/video*"
_OPEN_SECONDS, _READ_SECONDS = 10.0, 10.0
_SOON = {"analyzeduration": "500000"}  # microseconds of video, not 5 s


@dataclass(frozen=True)
class Address:
    """Where video comes from.

    Args:
        name: as the user wrote it; errors say it.
        url: as FFmpeg takes it.
        format: of FFmpeg, where the address does not tell.
        options: of FFmpeg.
        is_live: it goes on whether anyone looks or not; None where only the stream can tell.
        timeout_seconds: to open and to wait for more, or None to wait for ever.
        is_file: an ordinary file, whose times can be known before it is read.
        cure: what to do where nothing comes.
    """

    name: str
    url: str
    format: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    is_live: bool | None = False
    timeout_seconds: tuple[float, float] | None = None
    is_file: bool = False
    cure: str = ""


def parse_address(source: str) -> Address:
    """Return what a source stands for.

    Args:
        source: a file; ``-`` for bytes on stdin; a camera's number; a device such as
            ``/dev/video0``; an address rtsp:// (or rtmp, rtp, udp, srt, tcp), http:// or https://;
            ``lavfi:`` and a graph of FFmpeg's filters, such as ``lavfi:testsrc``.
    Raises:
        ReaderError: there is no such file.
    Example:
        >>> parse_address("rtsp://camera/1").is_live, parse_address("0").url
        (True, '/dev/video0')
    """
    waits = (_OPEN_SECONDS, _READ_SECONDS)
    if source == "-":
        return Address("stdin", "pipe:0", None, dict(_SOON), cure=_PIPE_CURE)
    if source.isdigit():
        return _camera(int(source))
    if source.startswith("/dev/video"):
        return _device(source, source)
    if source.startswith("lavfi:"):
        return Address(source, source.removeprefix("lavfi:"), "lavfi")
    if source.startswith(_LIVE):
        options = _SOON | ({"rtsp_transport": "tcp"} if source.startswith("rtsp") else {})
        return Address(source, source, None, options, is_live=True, timeout_seconds=waits)
    if source.startswith(_WEB):
        return Address(source, source, is_live=None, timeout_seconds=waits)
    return _file(source)


def _camera(number: int) -> Address:
    name, waits = f"camera {number}", (_OPEN_SECONDS, _READ_SECONDS)
    if sys.platform == "darwin":
        options = {"framerate": "30"}
        return Address(name, str(number), "avfoundation", options, True, waits)
    return _device(name, f"/dev/video{number}")


def _device(name: str, path: str) -> Address:
    waits = (_OPEN_SECONDS, _READ_SECONDS)
    return Address(name, path, "v4l2", {}, True, waits, cure=_CAMERA_CURE)


def _file(source: str) -> Address:
    path = Path(source)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        got = getattr(error, "strerror", None) or str(error)
        cure = "name a file, -, a camera's number, or an address such as rtsp://..."
        raise ReaderError(f"a source of video at {source}", got, cure) from None
    if stat.S_ISDIR(mode):
        raise ReaderError(f"a source of video at {source}", "a folder", "name one file in it")
    # With "file:", a colon in the name cannot be taken for another protocol.
    return Address(source, f"file:{source}", is_file=stat.S_ISREG(mode))
