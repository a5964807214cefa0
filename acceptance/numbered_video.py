"""Videos whose frames carry their own number in the picture, so that a wrong one shows."""

import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from torch import Tensor

SIZE, _BLOCK, _BITS = 64, 8, 12
_DARK, _LIGHT = 90, 165  # between them a block says nothing


def number_picture(number: int) -> np.ndarray:
    """Return a picture ``[H, W, C]``: 12 bits, their complement, and noise that moves."""
    generator = random.Random(number)
    blocks = [number >> bit & 1 for bit in range(_BITS)]
    blocks += [1 - bit for bit in blocks]
    blocks += [generator.randint(0, 1) for _ in range((SIZE // _BLOCK) ** 2 - 2 * _BITS)]
    side = SIZE // _BLOCK
    grey = np.kron(np.array(blocks, np.uint8).reshape(side, side), np.ones((_BLOCK, _BLOCK)))
    return np.repeat((40 + 175 * grey).astype(np.uint8)[..., None], 3, axis=2)


def read_number(pixels: Tensor) -> int | None:
    """Return the number that a picture ``[C, H, W]`` carries, None where it is not legible."""
    grey = pixels.float().mean(0).reshape(SIZE // _BLOCK, _BLOCK, -1, _BLOCK).mean((1, 3))
    values = grey.flatten()[: 2 * _BITS].tolist()
    if any(_DARK < value < _LIGHT for value in values):
        return None
    bits = [value >= _LIGHT for value in values]
    if any(a == b for a, b in zip(bits[:_BITS], bits[_BITS:], strict=True)):
        return None
    return sum(bit << place for place, bit in enumerate(bits[:_BITS]))


def write_numbered(
    path: Path,
    ticks: Sequence[int],
    *,
    rate: int = 25,
    codec: str = "libx264",
    key_interval: int = 12,
    b_frames: int = 2,
    codec_options: dict[str, str] | None = None,
    rotation_degrees: int = 0,
    file_format: str | None = None,
) -> None:
    """Write a video.

    Args:
        path: of the file.
        ticks: when each frame begins, in units of ``1 / rate`` seconds.
        rate: ticks a second.
        codec: FFmpeg's name of it.
        key_interval: frames from key frame to key frame, at most.
        b_frames: in a row, between those that others refer to.
        codec_options: more of the codec.
        rotation_degrees: how the file asks for the pictures to be turned, anticlockwise.
        file_format: FFmpeg's name of it, where the path's suffix does not say it.
    """
    options = {"movflags": "+faststart"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", format=file_format, options=options) as container:
        stream = container.add_stream(codec, rate=rate, options=codec_options or {})
        stream.width = stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, rate)
        stream.codec_context.gop_size = key_interval
        stream.codec_context.max_b_frames = b_frames
        stream.codec_context.thread_count = 1
        if rotation_degrees:
            stream.set_display_rotation(rotation_degrees)
        for number, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(number_picture(number), format="rgb24")
            frame.pts, frame.time_base = tick, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
