"""Pictures as a model sees them, with their captions and the boxes of their objects."""

from collections.abc import Sequence
from textwrap import wrap
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from unrolled.reports.pictures import enlarged
from unrolled.world import SceneObject

_SIDE, _FRAME_SIDE = 224, 148  # pixels: the longer side of a picture, and of a frame of a film
_GAP, _LINE = 12, 15  # pixels: between tiles, and of a line of text
_LINES, _CHARACTER = 7, 5.9  # lines under a picture, and the width of a letter
_SLIT = 3  # pixels between the frames of a film
_WIDTH = 960  # of the sheet, about
_INK, _PAPER, _BOX = (29, 31, 35), (255, 255, 255), (255, 64, 64)


class Captioned(NamedTuple):
    """A picture or a film with what is said of it.

    Shapes: pixels uint8 [3, H, W], or [T, 3, H, W] of a film.
    Args:
        name: of the file.
        pixels: as a model sees them.
        captions: of it.
        objects: in these pixels.
    """

    name: str
    pixels: Tensor
    captions: Sequence[str]
    objects: Sequence[SceneObject]


def caption_sheet(shown: Sequence[Captioned]) -> Image.Image:
    """Return a sheet of pictures with their names, their captions, and boxes around objects.

    Of a film, the first frame, the middle and the last are beside each other.

    Example:
        >>> import torch
        >>> pixels = torch.zeros(3, 32, 32, dtype=torch.uint8)
        >>> caption_sheet([Captioned("a.jpg", pixels, ["a dog"], [])]).size
        (248, 368)
    """
    tiles = [_tile(each) for each in shown]
    width, height = max(tile.width for tile in tiles), max(tile.height for tile in tiles)
    columns = max(1, min(_WIDTH // width, len(tiles)))
    rows = -(-len(tiles) // columns)
    size = (columns * (width + _GAP) + _GAP, rows * (height + _GAP) + _GAP)
    sheet = Image.new("RGB", size, _PAPER)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        sheet.paste(tile, (_GAP + column * (width + _GAP), _GAP + row * (height + _GAP)))
    return sheet


def _tile(shown: Captioned) -> Image.Image:
    film = shown.pixels.ndim == 4
    frames = shown.pixels[[0, len(shown.pixels) // 2, -1]] if film else shown.pixels[None]
    pictures = [enlarged(frame, _FRAME_SIDE if film else _SIDE) for frame in frames]
    width = max(_SIDE, sum(picture.width + _SLIT for picture in pictures) - _SLIT)
    top = pictures[0].height
    tile = Image.new("RGB", (width, top + (_LINES + 1) * _LINE), _PAPER)
    left = 0
    for picture in pictures:
        tile.paste(picture, (left, 0))
        left += picture.width + _SLIT
    drawing, font = ImageDraw.Draw(tile), ImageFont.load_default(12)
    scale = pictures[0].width / shown.pixels.shape[-1]
    for thing in shown.objects:
        drawing.rectangle([scale * corner for corner in thing.box], outline=_BOX, width=2)
    for number, line in enumerate(_lines(shown, int(width / _CHARACTER))):
        drawing.text((0, top + 2 + number * _LINE), line, fill=_INK, font=font)
    return tile


def _lines(shown: Captioned, characters: int) -> list[str]:
    """Return the name and as many lines of captions as there is room for."""
    told = [line for said in shown.captions for line in wrap(said, characters) or [""]]
    if len(told) >= _LINES:
        told = [*told[: _LINES - 2], "..."]
    return [shown.name[-characters:], *told]
