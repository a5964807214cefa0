"""A video with its labels written on it."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from jaxtyping import UInt8
from torch import Tensor

from unrolled.errors import ConfigError, ReaderError
from unrolled.streaming.labelling import FrameLabel
from unrolled.streaming.timeline import Timeline

_LEAST_WIDTH_PIXELS = 480  # smaller frames are enlarged, or nobody could read the label
_TIMELINE_FRAMES = 100
_TICKS_A_SECOND = 90_000
_WHITE, _DARK = (255, 255, 255), (16, 16, 16)


class Overlay:
    """Write frames, each with its label above and a timeline of probabilities below, to a video.

    To be used in a ``with`` statement, whose end completes the file.

    Args:
        path: of an mp4 (or mkv, avi ...) that does not exist yet.
        class_names: in the order of the probabilities.
        frames_per_second: about, of the frames that will come; each is shown at its own time.
        background: the class that is drawn in grey.
    Raises:
        ConfigError: PyAV or Pillow is missing, the file exists, or its folder does not.
        ReaderError: the file cannot be written in a format that its name says.
    Source: none.
    """

    def __init__(
        self,
        path: Path,
        class_names: Sequence[str],
        *,
        frames_per_second: float,
        background: str | None = None,
    ) -> None:
        try:
            import av
            import PIL.ImageFont
            from av.error import FFmpegError
        except ImportError as error:
            cure = "install them with: pip install 'unrolled[video]'"
            raise ConfigError("PyAV and Pillow", str(error), cure) from None
        if path.exists():
            raise ConfigError(f"a new file at {path}", "one that exists", "choose another name")
        if not path.parent.is_dir():
            raise ConfigError(f"a folder at {path.parent}", "none", "make it first")
        try:
            self._container: Any = av.open(str(path), "w")
        except (FFmpegError, OSError, ValueError) as error:
            got = getattr(error, "strerror", None) or str(error)
            raise ReaderError(f"a video to write at {path}", got) from None
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        rate = Fraction(frames_per_second).limit_denominator(1000)
        stream: Any = self._container.add_stream(codec, rate=rate)
        self._stream = stream
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, _TICKS_A_SECOND)
        self._path = path
        self._names, self._background = tuple(class_names), background
        self._font = PIL.ImageFont.load_default
        self._timeline: Timeline | None = None
        self._last_tick = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        if self._timeline is None:  # no frame came
            self._container.close()
            self._path.unlink(missing_ok=True)
            return
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def write(self, label: FrameLabel) -> None:
        """Write one frame; times that do not rise are left out."""
        import av

        picture = self._drawn(label)
        tick = round(label.seconds * _TICKS_A_SECOND)
        if tick <= self._last_tick:
            return
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = tick, Fraction(1, _TICKS_A_SECOND)
        self._last_tick = tick
        self._container.mux(self._stream.encode(frame))

    def _drawn(self, label: FrameLabel) -> UInt8[np.ndarray, "H W 3"]:
        from PIL import Image, ImageDraw

        video = _enlarged(label.pixels)
        height, width, _ = video.shape
        if self._timeline is None:
            self._timeline = Timeline(
                self._names, columns=_TIMELINE_FRAMES, background=self._background
            )
            self._stream.width, self._stream.height = width, height + 2 * _band(height)
        self._timeline.add(label.probabilities)
        band = _band(height)
        drawn = np.full((height + 2 * band, width, 3), _DARK, dtype=np.uint8)
        drawn[band : band + height] = video
        columns = np.arange(width) * _TIMELINE_FRAMES // width
        drawn[band + height + 2 :] = self._timeline.picture(band - 2)[:, columns]
        image = Image.fromarray(drawn)
        draw, font = ImageDraw.Draw(image), self._font(round(0.6 * band))
        colour = self._timeline.colours[self._names.index(label.label)]
        says = f"{label.label}  {100 * label.probability:.0f} %"
        draw.rectangle((0, 0, band // 2, band - 1), fill=colour)
        draw.text((band * 0.75, band / 2), says, fill=_WHITE, font=font, anchor="lm")
        clock = f"{label.seconds:.1f} s"
        draw.text((width - band / 4, band / 2), clock, fill=_WHITE, font=font, anchor="rm")
        return np.asarray(image)


def _enlarged(pixels: UInt8[Tensor, "C H W"]) -> UInt8[np.ndarray, "H W 3"]:
    """Return a frame of even height and width, enlarged by a whole number if it is small."""
    frame = pixels.permute(1, 2, 0).numpy()
    factor = max(1, -(-_LEAST_WIDTH_PIXELS // frame.shape[1]))
    frame = frame.repeat(factor, axis=0).repeat(factor, axis=1)
    height, width, _ = frame.shape
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _band(height: int) -> int:
    """Return the height of the bands above and below: an eighth, even."""
    return max(32, height // 16 * 2)
