"""A pipe, a camera or an address that FFmpeg has opened, frame after frame as it comes."""

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.addresses import Address

if TYPE_CHECKING:
    import av

    from unrolled.readers.video_file import Converter

_USUAL_FRAMES_PER_SECOND = 25.0  # where the source does not say


class Opened:
    """The frames of the first video stream of a source, in the order in which they are shown.

    A packet that no frame can be made of is left out and counted.

    Args:
        container: of FFmpeg, which is closed at the end of the ``with`` statement.
        is_live: decode without the delay that several threads bring.
    Raises:
        OSError: the source breaks off.
    Source: none.
    """

    def __init__(self, container: Any, *, is_live: bool) -> None:
        self._container = container
        self._stream = container.streams.video[0]
        self._stream.thread_type = "SLICE" if is_live else "AUTO"
        self._converter: Converter | None = None  # with the first frame
        self.damaged = 0

    @property
    def has_an_end(self) -> bool:
        """Whether it says how long it is, as a recording does."""
        return self._container.duration is not None or self._stream.duration is not None

    @property
    def usual_seconds(self) -> float:
        """The time from one frame to the next, if they come evenly."""
        rate = self._stream.average_rate or self._stream.guessed_rate
        return 1 / float(rate or _USUAL_FRAMES_PER_SECOND)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._container.close()

    def __iter__(self) -> "Iterator[av.VideoFrame]":
        from av.error import FFmpegError, InvalidDataError

        try:
            for packet in self._container.demux(self._stream):
                try:
                    frames = packet.decode()
                except InvalidDataError:
                    self.damaged += 1
                else:
                    yield from frames
        except FFmpegError as error:  # not all of them are an OSError
            raise OSError(error.errno, error.strerror) from None

    def pixels(self, frame: "av.VideoFrame") -> UInt8[Tensor, "C H W"]:
        """Return a frame as red, green and blue, upright, of the first one's size."""
        if self._converter is None:
            from unrolled.readers.video_file import Converter

            self._converter = Converter(frame, None, None)
        pixels = np.empty((*self._converter.size, 3), np.uint8)
        self._converter.write(frame, pixels)
        return torch.from_numpy(pixels).permute(2, 0, 1)


def open_address(address: Address) -> Opened:
    """Open a source.

    Raises:
        ConfigError: PyAV is not installed.
        ReaderError: it is not there, or no video.
    """
    try:
        import av
        from av.error import FFmpegError
    except ImportError as error:
        cure = "install it with: pip install 'unrolled[video]'"
        raise ConfigError("PyAV, which reads video", str(error), cure) from None
    try:
        container = av.open(
            address.url,
            format=address.format,
            options=dict(address.options),
            timeout=address.timeout_seconds,
        )
    except (FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ReaderError(f"video from {address.name}", reason, address.cure) from None
    if not container.streams.video:
        kinds: list[str] = sorted({stream.type for stream in container.streams})
        container.close()
        raise ReaderError(f"video from {address.name}", f"{' and '.join(kinds) or 'nothing'} alone")
    return Opened(container, is_live=address.is_live is not False)
