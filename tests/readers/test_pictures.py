"""Pictures of every kind come out as red, green and blue; damaged ones are named in one line."""

import io
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unrolled.errors import ReaderError
from unrolled.readers import pictures
from unrolled.readers.pictures import decode_picture, read_picture

GREY = np.arange(35, dtype=np.uint8).reshape(5, 7) * 7
COLOURS = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=2).copy()


def saved(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    into = io.BytesIO()
    image.save(into, form, **options)
    return into.getvalue()


def read(data: bytes, path: str = "picture") -> np.ndarray:
    return decode_picture(data, path).pixels.permute(1, 2, 0).numpy()


def transparent() -> Image.Image:
    alpha = np.full((5, 7), 255, np.uint8)
    alpha[0], alpha[1] = 0, 51  # seen not at all, and a fifth
    return Image.fromarray(np.dstack([COLOURS, alpha]))


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM"])
def test_colours_are_as_they_were(form: str) -> None:
    assert np.array_equal(read(saved(Image.fromarray(COLOURS), form)), COLOURS)


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "GIF", "PPM"])
def test_grey_is_spread(form: str) -> None:
    expected = np.repeat(GREY[:, :, None], 3, axis=2)
    assert np.array_equal(read(saved(Image.fromarray(GREY), form)), expected)


def test_what_is_transparent_lies_on_white() -> None:
    seen = read(saved(transparent()))
    assert (seen[0] == 255).all()
    mixed = COLOURS[1].astype(float) * 0.2 + 255 * 0.8
    assert np.abs(seen[1] - mixed).max() <= 1
    assert np.array_equal(seen[2:], COLOURS[2:])


def test_grey_and_palettes_with_transparency_lie_on_white_too() -> None:
    alpha = Image.fromarray(np.where(GREY < 50, 0, 255).astype(np.uint8))
    grey = Image.merge("LA", [Image.fromarray(GREY), alpha])
    assert np.array_equal(read(saved(grey))[:, :, 1], np.where(GREY < 50, 255, GREY))
    palette = Image.fromarray(GREY % 4).convert("P")
    palette.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120])
    colours = np.array([[10, 20, 30], [40, 50, 60], [70, 80, 90], [100, 110, 120]])
    assert np.array_equal(read(saved(palette)), colours[GREY % 4])
    seen = read(saved(palette, transparency=2))
    colours[2] = 255
    assert np.array_equal(seen, colours[GREY % 4])


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_range(form: str) -> None:
    deep = np.linspace(0, 65535, 35).reshape(5, 7).astype(np.uint16)
    expected = np.floor(deep * (255 / 65535) + 0.5)
    seen = read(saved(Image.fromarray(deep), form))
    assert np.array_equal(seen, np.repeat(expected[:, :, None], 3, axis=2))
    assert (seen.min(), seen.max()) == (0, 255)


def test_one_bit_is_black_and_white() -> None:
    seen = read(saved(Image.fromarray(GREY > 100)))
    assert np.array_equal(seen[:, :, 0], np.where(GREY > 100, 255, 0))


def test_cmyk_comes_out_in_its_colours() -> None:
    flat = Image.new("RGB", (16, 16), (200, 60, 30))
    for form, options in (("TIFF", {}), ("JPEG", {"quality": 95})):
        seen = read(saved(flat.convert("CMYK"), form, **options))
        assert np.abs(seen.astype(int) - [200, 60, 30]).max() <= 4


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_cameras_orientation_is_followed(orientation: int, form: str) -> None:
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, 1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode_picture(saved(Image.fromarray(COLOURS), form, exif=exif), "a")
    assert np.array_equal(picture.pixels.permute(1, 2, 0), undo[orientation](COLOURS))
    assert picture.turned == (orientation != 1)


def test_damaged_exif_is_no_orientation() -> None:
    data = saved(Image.new("RGB", (9, 6), "red"), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read(data).shape == (6, 9, 3)


def test_of_an_animation_the_first_picture_is_taken() -> None:
    first, second = Image.new("RGB", (4, 3), "red"), Image.new("RGB", (4, 3), "blue")
    data = saved(first, "GIF", save_all=True, append_images=[second])
    assert read(data)[0, 0].tolist() == [255, 0, 0]


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(side: int) -> bytes:
    """Return a PNG of a few bytes that says it is ``side`` pixels on every side."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [9_000, 12_000, 60_000, 2**31 - 1])
def test_a_bomb_is_refused_before_it_is_decoded(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(_: Image.Image) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr(Image.Image, "load", decoded)
    with pytest.raises(ReaderError, match=r"at most 67,108,864 pixels in bomb\.png"):
        read(bomb(side), "bomb.png")


def floats() -> bytes:
    return saved(Image.fromarray(np.ones((3, 4), np.float32)), "TIFF")


def deeper_than_16_bits() -> bytes:
    return saved(Image.fromarray(np.full((3, 4), 2**20, np.int32)), "TIFF")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty file"),
        (b"hello", "no format that is known"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no format that is known"),
        (floats(), "floats, whose white is unknown"),
        (deeper_than_16_bits(), "numbers beyond 16 bits"),
        (saved(Image.fromarray(COLOURS), "JPEG")[:-2], "a JPEG without its end"),
    ],
)
def test_what_is_no_picture_is_named_in_one_line(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(data)
    with pytest.raises(ReaderError, match=words) as caught:
        read_picture(path)
    assert "holiday.jpg" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_folders_and_too_large_files_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ReaderError, match=r"no\.png, got nothing there"):
        read_picture(tmp_path / "no.png")
    with pytest.raises(ReaderError, match="got a folder"):
        read_picture(tmp_path)
    with pytest.raises(ReaderError, match=r"nothing there|null byte"):
        read_picture("a\0b.png")
    monkeypatch.setattr(pictures, "_MOST_BYTES", 10)
    (tmp_path / "a.png").write_bytes(bytes(11))
    with pytest.raises(ReaderError, match="at most 10 bytes"):
        read_picture(tmp_path / "a.png")


def noisy() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=np.uint8))


WRITERS: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: saved(noisy()),
    "JPEG": lambda: saved(noisy(), "JPEG"),
    "progressive JPEG": lambda: saved(noisy(), "JPEG", progressive=True),
    "GIF": lambda: saved(noisy(), "GIF"),
    "WEBP": lambda: saved(noisy(), "WEBP"),
    "BMP": lambda: saved(noisy(), "BMP"),
    "TIFF": lambda: saved(noisy(), "TIFF", compression="tiff_lzw"),
}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "progressive JPEG", "WEBP", "BMP"])
def test_a_truncated_picture_is_never_taken_for_a_whole_one(form: str) -> None:
    data = WRITERS[form]()
    for length in [*range(0, len(data) - 1, 1 + len(data) // 60), len(data) - 1]:
        with pytest.raises(ReaderError) as caught:
            decode_picture(data[:length], "cut.png")
        assert "\n" not in str(caught.value)


def test_a_changed_byte_of_a_png_is_always_noticed() -> None:
    whole, draws = WRITERS["PNG"](), random.Random(0)
    for _ in range(80):
        place = draws.randrange(len(whole))
        data = bytearray(whole)
        data[place] ^= 1 << draws.randrange(8)
        with pytest.raises(ReaderError):
            decode_picture(bytes(data), "changed.png")


@pytest.mark.parametrize("form", WRITERS)
def test_damage_is_a_picture_or_one_line(form: str) -> None:
    whole, draws = WRITERS[form](), random.Random(form)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(draws.choice([1, 3, 20])):
            data[draws.randrange(len(data))] = draws.randrange(256)
        if draws.random() < 0.3:
            del data[draws.randrange(len(data)) :]
        try:
            pixels = decode_picture(bytes(data), "damaged").pixels
        except ReaderError as error:
            told = str(error)
        else:
            told = str(tuple(pixels.shape[:1]))
        assert "\n" not in told
