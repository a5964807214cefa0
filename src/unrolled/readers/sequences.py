"""Sequences of other sensors: pictures with an axis that is time, arrays, rows of numbers."""

import csv
from dataclasses import dataclass
from functools import lru_cache
from glob import has_magic
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.text import read_text

_PICTURES = (".png", ".jpg", ".jpeg", ".bmp")
SEQUENCE_SUFFIXES = frozenset((*_PICTURES, ".npy", ".csv"))
_LARGEST = {"uint8": 255.0, "uint16": 65535.0, "int32": 65535.0}  # Pillow's 16 bits may be int32


@dataclass(frozen=True)
class SequenceReading:
    """How files become sequences.

    Args:
        time_axis: of a single picture: the axis that is time.
        features: numbers of a step, in a row that is a whole sequence.
        skip_columns: of a row, before its numbers; a label, say.
    """

    time_axis: Literal["width", "height"] = "width"
    features: int = 1
    skip_columns: int = 0

    def __post_init__(self) -> None:
        if self.features < 1 or self.skip_columns < 0:
            got = f"{self.features} and {self.skip_columns}"
            raise ConfigError("features of at least 1 and skip_columns of at least 0", got)


def is_sequence(path: Path) -> bool:
    """Say whether a path is for ``read_sequence`` rather than for a video.

    Example:
        >>> [is_sequence(Path(p)) for p in ("a.npy", "rows.csv#17", "*/a.png", "a.mp4")]
        [True, True, True, False]
    """
    plain = Path(path.as_posix().partition("#")[0])
    return plain.suffix.lower() in SEQUENCE_SUFFIXES or plain.is_dir()


def read_sequence(
    path: str | Path,
    reading: SequenceReading = SequenceReading(),
) -> Float32[Tensor, "T ..."]:
    """Read one sequence.

    ==================  ======================================================================
    ``a.npy``           an array whose first axis is time
    ``a.png``           a picture with an axis that is time: ``[T, F]`` (grey), ``[T, C, F]``
    ``*/a.png``         several such pictures of one recording, by name, as channels ``[T, C, F]``
    a folder            its pictures by name, ``[T, C, H, W]``
    ``a.csv``           a row a step, ``[T, F]``
    ``a.csv#17``        row 17 (the first is 0) is the sequence, ``features`` numbers a step
    ==================  ======================================================================

    Pictures become 0 to 1. A first row without numbers is a heading and not counted.

    Raises:
        ReaderError: missing, damaged, not numbers, or of sizes that do not fit together.
    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "rows.csv"
        >>> _ = path.write_text("wave,0,0,0.5,0.25\\n")
        >>> read_sequence(f"{path}#0", SequenceReading(features=2, skip_columns=1))
        tensor([[0.0000, 0.0000],
                [0.5000, 0.2500]])
    """
    written, _, row = str(path).partition("#")
    path = Path(written)
    if has_magic(written) and not path.exists():
        values = _channels(path, reading)
    elif path.is_dir():
        values = _folder(path)
    elif not path.is_file():
        raise ReaderError(f"a sequence at {path}", "nothing there", "check the path")
    elif path.suffix.lower() == ".npy":
        values = _array(path)
    elif path.suffix.lower() == ".csv":
        values = _row(path, row, reading) if row else _numbers(path, 0, reading.skip_columns)
    else:
        values = _turned(_picture(path), reading)
        values = values[:, 0] if values.shape[1] == 1 else values
    if not len(values):
        raise ReaderError(f"steps in {path}", "none")
    if not np.isfinite(values).all():
        step = int(np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(1))[0])
        raise ReaderError(f"finite numbers in {written}", f"others in step {step}")
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))


def _array(path: Path) -> np.ndarray:
    try:
        values = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else "an empty file"
        raise ReaderError(f"an array of numbers in {path}", reason) from None
    if not isinstance(values, np.ndarray) or values.ndim < 1 or values.dtype.kind not in "biuf":
        raise ReaderError(f"an array of numbers, time first, in {path}", "something else")
    return values


def _picture(path: Path) -> np.ndarray:
    """Return a picture ``[C, H, W]``, from 0 to 1."""
    try:
        from PIL import Image
    except ImportError:
        raise ReaderError(
            "Pillow to read pictures", "none", "pip install 'unrolled[video]'"
        ) from None
    try:
        with Image.open(path) as image:
            plain = image.mode in ("L", "I;16", "I", "RGB")
            values = np.asarray(image if plain else image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = str(error).splitlines()[0] if str(error) else "an error"
        raise ReaderError(f"a picture in {path}", reason) from None
    values = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
    return np.asarray(values / _LARGEST[values.dtype.name], np.float32)


def _turned(picture: np.ndarray, reading: SequenceReading) -> np.ndarray:
    """Return ``[T, C, F]``."""
    return (
        picture.transpose(2, 0, 1) if reading.time_axis == "width" else picture.transpose(1, 0, 2)
    )


def _channels(pattern: Path, reading: SequenceReading) -> np.ndarray:
    root = Path(pattern.anchor)
    paths = sorted(root.glob(pattern.relative_to(root).as_posix()))
    if not paths:
        raise ReaderError(f"pictures at {pattern}", "none", "check the pattern")
    return _join([_turned(_picture(path), reading) for path in paths], paths, axis=1)


def _folder(path: Path) -> np.ndarray:
    paths = sorted(p for p in path.iterdir() if p.suffix.lower() in _PICTURES)
    if not paths:
        raise ReaderError(f"pictures in {path}", "none")
    return _join([_picture(p)[None] for p in paths], paths, axis=0)


def _join(parts: list[np.ndarray], paths: list[Path], axis: int) -> np.ndarray:
    for part, path in zip(parts, paths, strict=True):
        if part.shape != parts[0].shape:
            shape = " x ".join(map(str, parts[0].shape[1:]))
            got = " x ".join(map(str, part.shape[1:]))
            raise ReaderError(f"{path} of the size of {paths[0].name}, {shape}", got)
    return np.concatenate(parts, axis)


def _row(path: Path, row: str, reading: SequenceReading) -> np.ndarray:
    rows = _cells(path, path.stat().st_mtime_ns)
    if not row.isdecimal() or int(row) >= len(rows):
        raise ReaderError(f"row {row} of {path}", f"rows 0 to {len(rows) - 1}")
    numbers = _as_numbers(path, int(row), rows[int(row)][reading.skip_columns :])
    if len(numbers) % reading.features:
        raise ReaderError(
            f"a multiple of {reading.features} numbers in row {row} of {path}",
            str(len(numbers)),
            "set features and skip_columns as the file is laid out",
        )
    return numbers.reshape(-1, reading.features)


def _numbers(path: Path, start: int, skip: int) -> np.ndarray:
    rows = _cells(path, path.stat().st_mtime_ns)
    values = [_as_numbers(path, start + n, row[skip:]) for n, row in enumerate(rows)]
    for number, value in enumerate(values):
        if len(value) != len(values[0]):
            got = f"{len(value)} in row {number}"
            raise ReaderError(f"{len(values[0])} numbers in every row of {path}", got)
    return np.stack(values)


def _as_numbers(path: Path, row: int, cells: tuple[str, ...]) -> np.ndarray:
    try:
        return np.array(cells, dtype=np.float32)
    except ValueError:
        wrong = next(cell for cell in cells if not _is_number(cell))
        raise ReaderError(f"numbers in row {row} of {path}", repr(wrong)) from None


@lru_cache(maxsize=16)
def _cells(path: Path, _changed: int) -> list[tuple[str, ...]]:
    """Return the rows of a file, but for a heading; kept, as one file may hold all sequences."""
    rows = [tuple(row) for row in csv.reader(read_text(path).splitlines()) if row]
    heading = rows and not any(_is_number(cell) for cell in rows[0])
    rows = rows[1:] if heading else rows
    if not rows:
        raise ReaderError(f"rows of numbers in {path}", "none")
    return rows


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
