"""Pictures from files: whatever they are, as red, green and blue; what is damaged is named."""

import io
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from unrolled.errors import ReaderError

MOST_PIXELS = 64 * 2**20  # of one picture: 192 MiB as red, green and blue
_MOST_BYTES = 2**28  # of one file
# Not all that Pillow reads: some of its formats run other programs.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_ENDS = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9", "MPO": b"\xff\xd9"}


class Picture(NamedTuple):
    """A picture, and what its file says of it.

    Shapes: pixels uint8 [3, H, W], red green blue, upright.
    Args:
        pixels: the picture.
        format: of the file, such as "JPEG".
        mode: Pillow's name of how it is stored, such as "RGB", "L", "CMYK" or "I;16".
        turned: whether it was stored turned or mirrored, and had to be set upright.
    """

    pixels: UInt8[Tensor, "3 H W"]
    format: str
    mode: str
    turned: bool


def read_picture(path: str | Path) -> UInt8[Tensor, "3 H W"]:
    """Read a picture as red, green and blue.

    Grey is spread over the three channels, palettes and CMYK are converted, 16 bits are brought to
    8 by their range, what is transparent lies on white, of several pictures the first is taken, and
    the camera's orientation is followed. BMP, GIF, JPEG, PNG, PPM, TIFF and WebP are read.

    Raises:
        ReaderError: nothing there, no picture, a truncated or damaged one, one of floats, or more
            pixels than ``MOST_PIXELS``, of which none is then decoded.
    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "red.png"
        >>> Image.new("RGB", (5, 3), "red").save(path)
        >>> read_picture(path).shape, read_picture(path)[:, 0, 0].tolist()
        (torch.Size([3, 3, 5]), [255, 0, 0])
    """
    return decode_picture(read_picture_file(path), path).pixels


def read_picture_file(path: str | Path) -> bytes:
    """Return the bytes of a file that may be a picture.

    Raises:
        ReaderError: nothing there, a folder, empty, or too large for a picture.
    """
    path = Path(path)
    try:
        if not path.is_file():
            got = "a folder" if path.is_dir() else "nothing there"
            raise ReaderError(f"a picture at {path}", got)
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise ReaderError(f"a picture of at most {_MOST_BYTES:,} bytes at {path}", f"{size:,}")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ReaderError(f"a picture at {path}", reason) from None
    if not data:
        raise ReaderError(f"a picture at {path}", "an empty file")
    return data


def decode_picture(data: bytes, path: str | Path) -> Picture:
    """Return the picture that bytes hold; errors speak of ``path``.

    Raises:
        ReaderError: as ``read_picture`` does.
    """
    # What Pillow raises depends on the format and on the damage: no list of it would be complete.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(data, path)
    except ReaderError:
        raise
    except Image.DecompressionBombError:
        raise _bomb(path, "many more") from None
    except Exception as error:  # of Pillow alone
        raise ReaderError(f"a picture in {path}", _reason(error)) from None


def _decode(data: bytes, path: str | Path) -> Picture:
    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise _bomb(path, f"{width} x {height}")
        kind, mode = str(image.format), image.mode
        if kind == "PNG":  # Pillow does not look at the checksums of what it decodes
            with Image.open(io.BytesIO(data), formats=("PNG",)) as unread:
                unread.verify()
        if kind in _ENDS and _ENDS[kind] not in data:
            raise ReaderError(f"a whole picture in {path}", f"a {kind} without its end")
        turned = _is_turned(image)
        image.load()  # which sets a TIFF upright
        upright = ImageOps.exif_transpose(image) if _is_turned(image) else image
        pixels = torch.from_numpy(_rgb(upright, path).transpose(2, 0, 1).copy())
        return Picture(pixels, kind, mode, turned)


def _is_turned(image: Image.Image) -> bool:
    """Return whether the camera says that the picture is turned or mirrored."""
    try:
        return image.getexif().get(0x0112, 1) in range(2, 9)
    except Exception:  # EXIF is a TIFF file of its own, and may be damaged in as many ways
        return False


def _rgb(image: Image.Image, path: str | Path) -> UInt8[np.ndarray, "H W 3"]:
    if image.mode == "F":
        raise ReaderError(f"a picture of whole numbers in {path}", "floats, whose white is unknown")
    if image.mode.startswith("I"):  # Pillow would cut off what is above 255
        values = np.asarray(image, dtype=np.float64)
        if values.min() < 0 or values.max() > 65535:
            raise ReaderError(f"a picture of 8 or 16 bits in {path}", "numbers beyond 16 bits")
        grey = np.floor(values * (255 / 65535) + 0.5).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        above = image.convert("RGBA")
        white = Image.new("RGBA", above.size, "white")
        image = Image.alpha_composite(white, above)
    return np.asarray(image.convert("RGB"))


def _bomb(path: str | Path, got: str) -> ReaderError:
    expected = f"a picture of at most {MOST_PIXELS:,} pixels in {path}"
    return ReaderError(expected, got, "make it smaller first")


def _reason(error: Exception) -> str:
    words = " ".join(str(error).split())
    if isinstance(error, UnidentifiedImageError) or not words:
        return "no format that is known" if words else type(error).__name__
    return words
