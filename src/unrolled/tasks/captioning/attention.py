"""Where a captioning model looked for every word of a caption, as pictures and as files."""

import io
from math import exp
from pathlib import Path

from PIL import Image
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.reports.attention import attention_gif, attention_row, film_attention_row
from unrolled.storage import write_file
from unrolled.tasks.captioning.model import Caption

_SIDE, _FRAME_SIDE = 160, 96  # pixels of a tile, and of a frame of a film


def attention_sheet(
    pixels: Tensor, caption: Caption, *, side: int | None = None
) -> Image.Image | None:
    """Return the picture once a word, lit where the model looked; None if it did not look.

    Args:
        pixels: what was described: uint8 ``[3, H, W]``, or ``[T, 3, H, W]`` of a film.
        caption: what was said of it.
        side: the longer side of a picture, in pixels.
    """
    if caption.weights is None or not caption.words:
        return None
    words, weights, shares = caption.words, caption.weights, _shares(caption)
    if caption.grid is None:
        side = side or _FRAME_SIDE
        return film_attention_row(pixels, words, weights, probabilities=shares, side=side)
    return attention_row(
        pixels, words, weights, caption.grid, probabilities=shares, side=side or _SIDE
    )


def write_attention(pixels: Tensor, caption: Caption, path: Path) -> None:
    """Write where a model looked: a sheet (.png), or of a picture a moving one (.gif).

    Args:
        pixels: what was described: uint8 ``[3, H, W]``, or ``[T, 3, H, W]`` of a film.
        caption: what was said of it.
        path: of the file.
    Raises:
        ConfigError: the model did not look, or the file cannot be of that kind.
    """
    sheet = attention_sheet(pixels, caption)
    if sheet is None or caption.weights is None:
        raise ConfigError("a caption of a model that looks at places", repr(caption.text))
    if path.suffix.lower() != ".gif":
        file = io.BytesIO()
        sheet.save(file, "PNG")
        write_file(path, file.getvalue())
        return
    if caption.grid is None:
        raise ConfigError("a name in .png for the attention to a film", str(path))
    words, weights, shares = caption.words, caption.weights, _shares(caption)
    write_file(path, attention_gif(pixels, words, weights, caption.grid, probabilities=shares))


def _shares(caption: Caption) -> list[float]:
    return [exp(value) for value in caption.log_probabilities]
