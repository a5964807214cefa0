"""Where a captioner looked for every word: as a sheet of pictures, and as a moving one."""

import io
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from unrolled.errors import ShapeError
from unrolled.reports.lighting import Grid, lit, smooth_attention
from unrolled.reports.pictures import enlarged

_PAPER, _INK, _MUTED, _FAINT, _MARK = (
    (255, 255, 255),
    (29, 31, 35),
    (99, 103, 111),
    (190, 192, 196),
    (43, 98, 184),
)
_GAP = 10  # pixels between tiles
_MOST_COLUMNS = 7
_WORD_MILLISECONDS, _LAST_MILLISECONDS = 800, 2400

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def attention_row(
    pixels: UInt8[Tensor, "3 H W"],
    words: Sequence[str],
    weights: Float[Tensor, "T L"],
    grid: Grid,
    *,
    probabilities: Sequence[float] | None = None,
    columns: int | None = None,
    side: int = 160,
) -> Image.Image:
    """Return the picture, and beside it the same once a word, lit where the decoder looked for it.

    Args:
        pixels: of the picture.
        words: of the caption, T of them.
        weights: of the places, row by row, for every word.
        grid: H' and W', how many places there are, down and across.
        probabilities: of the words, to be written beneath them.
        columns: tiles in a row; None makes rows of equal length, seven at most.
        side: the longer side of a tile, in pixels.
    Raises:
        ShapeError: as many words as weights are wanted, and H' W' weights for each.
    Source: the layout: Xu et al. 2015, arXiv:1502.03044, figure 2.
    Example:
        >>> picture = torch.zeros(3, 32, 32, dtype=torch.uint8)
        >>> attention_row(picture, ["a", "dot"], torch.full((2, 16), 1 / 16), (4, 4)).size
        (520, 212)
    """
    _check(words, weights, probabilities)
    tiles = [enlarged(pixels, side), *(_tile(pixels, each, grid, side) for each in weights)]
    return _sheet(tiles, ["", *words], ["", *_percent(probabilities, len(words))], columns, side)


def film_attention_row(
    frames: UInt8[Tensor, "F 3 H W"],
    words: Sequence[str],
    weights: Float[Tensor, "T F"],
    *,
    probabilities: Sequence[float] | None = None,
    side: int = 96,
) -> Image.Image:
    """Return the frames of a film once a word: a row a word, each frame as light as its weight.

    Args:
        frames: of the film.
        words: of the caption, T of them.
        weights: of the frames, for every word.
        probabilities: of the words, to be written beneath them.
        side: the longer side of a frame, in pixels.
    Raises:
        ShapeError: as many words as weights are wanted, and a weight for every frame.
    Example:
        >>> film = torch.zeros(5, 3, 32, 32, dtype=torch.uint8)
        >>> film_attention_row(film, ["a", "dot"], torch.full((2, 5), 0.2)).size
        (627, 328)
    """
    _check(words, weights, probabilities)
    if weights.shape[1] != len(frames):
        raise ShapeError(f"{len(frames)} weights, one a frame", str(weights.shape[1]))
    first = [enlarged(frame, side) for frame in frames]
    width, height = first[0].size
    font, small = _font(side / 6), _font(side / 8)
    margin = round(max([side * 0.8, *(font.getlength(word) for word in words)])) + 2 * _GAP
    size = (margin + len(frames) * (width + _GAP), (len(words) + 1) * (height + _GAP) + _GAP)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    notes = _percent(probabilities, len(words))
    for row, (word, note) in enumerate(zip(["", *words], ["", *notes], strict=True)):
        top = _GAP + row * (height + _GAP)
        tiles = first if row == 0 else _shaded(frames, weights[row - 1], side)
        for column, tile in enumerate(tiles):
            sheet.paste(tile, (margin + column * (width + _GAP), top))
        right = margin - _GAP
        draw.text((right, top + height / 2), word, _INK, font, anchor="rs")
        draw.text((right, top + height / 2 + side * 0.04), note, _MUTED, small, anchor="rt")
    return sheet


def attention_gif(
    pixels: UInt8[Tensor, "3 H W"],
    words: Sequence[str],
    weights: Float[Tensor, "T L"],
    grid: Grid,
    *,
    probabilities: Sequence[float] | None = None,
    side: int = 320,
) -> bytes:
    """Return a GIF that goes on for ever: word by word, where the decoder looked, and the caption.

    Args:
        pixels: of the picture.
        words: of the caption, T of them.
        weights: of the places, row by row, for every word.
        grid: H' and W', how many places there are, down and across.
        probabilities: of the words, to be written beneath the caption.
        side: the longer side of the picture, in pixels.
    Raises:
        ShapeError: as many words as weights are wanted, and H' W' weights for each.
    Example:
        >>> picture = torch.zeros(3, 32, 32, dtype=torch.uint8)
        >>> attention_gif(picture, ["a", "dot"], torch.full((2, 16), 1 / 16), (4, 4))[:6]
        b'GIF89a'
    """
    _check(words, weights, probabilities)
    tiles = [_tile(pixels, each, grid, side) for each in weights] or [enlarged(pixels, side)]
    notes = _percent(probabilities, len(words)) or [""]
    first, *others = (
        _with_caption(tile, words, number, note, side)
        for number, (tile, note) in enumerate(zip(tiles, notes, strict=True))
    )
    times = [_WORD_MILLISECONDS] * len(others) + [_LAST_MILLISECONDS]
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others, duration=times, loop=0)
    return file.getvalue()


def _check(words: Sequence[str], weights: Tensor, probabilities: Sequence[float] | None) -> None:
    if len(weights) != len(words):
        raise ShapeError(f"weights of {len(words)} words", f"of {len(weights)}")
    if probabilities is not None and len(probabilities) != len(words):
        raise ShapeError(f"probabilities of {len(words)} words", f"of {len(probabilities)}")


def _percent(probabilities: Sequence[float] | None, count: int) -> list[str]:
    return [""] * count if probabilities is None else [f"{100 * p:.1f} %" for p in probabilities]


def _sheet(
    tiles: list[Image.Image],
    words: list[str],
    notes: list[str],
    columns: int | None,
    side: int,
) -> Image.Image:
    """Place tiles in rows, a word and a note beneath each."""
    columns = min(len(tiles), columns or _balanced(len(tiles)))
    font, small = _font(side / 8), _font(side / 11)
    width, height = tiles[0].size
    cell = max([width, *(round(font.getlength(word)) for word in words)]) + _GAP
    foot = round(side * (0.32 if any(notes) else 0.2))
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * cell + _GAP, rows * (height + foot + _GAP) + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (tile, word, note) in enumerate(zip(tiles, words, notes, strict=True)):
        row, column = divmod(number, columns)
        top = _GAP + row * (height + foot + _GAP)
        middle = _GAP / 2 + (column + 0.5) * cell
        sheet.paste(tile, (round(middle - width / 2), top))
        draw.text((middle, top + height + side * 0.03), word, _INK, font, anchor="ma")
        draw.text((middle, top + height + side * 0.19), note, _MUTED, small, anchor="ma")
    return sheet


def _balanced(count: int) -> int:
    """Return how many tiles stand in a row so that rows are full, seven at most.

    Example:
        >>> [_balanced(count) for count in (5, 7, 8, 15)]
        [5, 7, 4, 5]
    """
    rows = -(-count // _MOST_COLUMNS)
    return -(-count // rows)


def _tile(pixels: Tensor, weights: Tensor, grid: Grid, side: int) -> Image.Image:
    """Light an enlarged picture, so that the light is smooth however few pixels there are."""
    large = enlarged(pixels, side)
    return _lit(large, smooth_attention(weights.float(), grid, large.height, large.width))


def _shaded(frames: Tensor, weights: Tensor, side: int) -> list[Image.Image]:
    """Light each frame as a whole, the one of the greatest weight fully."""
    shares = weights.float() / weights.float().max().clamp(min=1e-30)
    pairs = zip(frames, shares, strict=True)
    return [_lit(enlarged(frame, side), share.view(1, 1)) for frame, share in pairs]


def _lit(picture: Image.Image, share: Tensor) -> Image.Image:
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    return Image.fromarray(lit(pixels, share))


def _with_caption(
    tile: Image.Image, words: Sequence[str], number: int, note: str, side: int
) -> Image.Image:
    """Put the caption under a picture, its word of this number marked."""
    font, small = _font(side / 16), _font(side / 20)
    line, blank = round(side / 12), 1.3 * font.getlength(" ")
    lines, across = 1, 0.0
    places = []
    width = max([tile.width, *(round(font.getlength(word)) for word in words)])
    for word in words:
        length = font.getlength(word)
        if across and across + length > width:
            lines, across = lines + 1, 0.0
        places.append((_GAP + across, lines - 1))
        across += length + blank
    height = tile.height + 2 * _GAP + line * (lines + 1)
    sheet = Image.new("RGB", (width + 2 * _GAP, height), _PAPER)
    sheet.paste(tile, (_GAP + (width - tile.width) // 2, _GAP))
    draw, top = ImageDraw.Draw(sheet), tile.height + 1.5 * _GAP
    for place, (word, (left, row)) in enumerate(zip(words, places, strict=True)):
        ink = _INK if place < number else _MARK if place == number else _FAINT
        draw.text((left, top + row * line), word, ink, font)
        if place == number:
            under = top + (row + 0.85) * line
            draw.line([left, under, left + font.getlength(word), under], _MARK, 2)
    draw.text((_GAP, top + lines * line), note, _MUTED, small)
    return sheet


def _font(size: float) -> _Font:
    return ImageFont.load_default(max(10.0, size))
