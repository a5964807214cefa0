"""Videos that the tests of live sources make: each frame says by its grey which one it is."""

from pathlib import Path

import av
import numpy as np


def write_video(
    path: Path | str,
    count: int = 12,
    *,
    rate: int = 10,
    container: str | None = None,
    size: int = 32,
) -> None:
    """Write ``count`` frames, frame n of grey 10 + 20 n."""
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream("mpeg4", rate=rate)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 1_000_000
        for number in range(count):
            grey = np.full((size, size, 3), 10 + 20 * (number % 12), np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        file.mux(stream.encode(None))


def number_of(pixels) -> int:
    """Return which frame this is, modulo 12."""
    return round((float(pixels.float().mean()) - 10) / 20)
