"""Word vectors in the text format of GloVe and of word2vec, read as a stream."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ReaderError
from unrolled.readers.known_data import how_to_get

_REPORT_LINES = 20_000
_END = b" \r\n"


@dataclass(frozen=True)
class WordVectors:
    """The vectors that a file has for the words that were asked for.

    Args:
        tokens: of the words that were found, ``[N]``.
        vectors: of these words, ``[N, D]``.
    """

    tokens: NDArray[np.int64]
    vectors: NDArray[np.float32]


def vector_size(path: Path) -> int:
    """Return D, how many numbers a word has, as the beginning of a file says.

    Raises:
        ReaderError: the file is missing, empty, or does not begin with a word and its numbers.
    """
    return _beginning(path)[0]


def read_word_vectors(
    path: Path, words: Mapping[str, int], report: Callable[[float], None] = lambda _: None
) -> WordVectors:
    """Read the vectors of some words: a line is a word and D numbers, with one blank between.

    A first line of two whole numbers, as word2vec writes it, is their count and D. A word may have
    blanks in it, as a few in GloVe's 840B file have. Of a word that comes twice, the first counts.

    Args:
        path: the file.
        words: the token of each word that is wanted; all other lines are only counted.
        report: is told the share of the file that is read.
    Raises:
        ReaderError: a line with too few or too many numbers, or with something that is not a finite
            number, by its place; or none of the words is there.
    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "vectors.txt"
        >>> _ = path.write_text("the 0.5 -1\\ncat 2 0.25\\n")
        >>> read_word_vectors(path, {"cat": 7, "dog": 8})
        WordVectors(tokens=array([7]), vectors=array([[2.  , 0.25]], dtype=float32))
    """
    size, announced = _beginning(path)
    wanted = {word.encode("utf-8", "replace"): token for word, token in words.items()}
    found: dict[int, NDArray[np.float32]] = {}
    bytes_read, bytes_in_all, number = 0, path.stat().st_size, 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            bytes_read += len(line)
            if number % _REPORT_LINES == 0:
                report(bytes_read / bytes_in_all)
            if number == 1 and announced is not None:
                continue
            word = _word(line.rstrip(_END), size, path, number)
            token = wanted.get(word)
            if token is not None and token not in found:
                found[token] = _numbers(line.rstrip(_END), size, path, number)
    if announced is not None and number - 1 != announced:
        raise ReaderError(f"{announced:,} word vectors in {path}", f"{number - 1:,}")
    if not found:
        raise ReaderError(
            f"vectors of words of the training text in {path}",
            f"none of its {len(words):,} words",
            "are they cased and split as the vectors are?",
        )
    return WordVectors(np.array(list(found), dtype=np.int64), np.stack(list(found.values())))


def _beginning(path: Path) -> tuple[int, int | None]:
    """Return how many numbers a word has, and how many words a first line announces."""
    try:
        with path.open("rb") as file:
            first = file.readline(1 << 20)
    except FileNotFoundError:
        cure = how_to_get(path) or "check the path"
        raise ReaderError(f"a file of word vectors at {path}", "nothing there", cure) from None
    except OSError as error:
        raise ReaderError(
            f"a file of word vectors at {path}", error.strerror or "an error"
        ) from None
    fields = first.rstrip(_END).split(b" ")
    if len(fields) == 2 and all(field.isdigit() for field in fields) and int(fields[1]) > 0:
        return int(fields[1]), int(fields[0])
    if len(fields) < 2 or not all(map(_is_number, fields[-1:])):
        got = (
            "an empty file"
            if not first
            else repr(first.rstrip(_END)[:20].decode("utf-8", "replace"))
        )
        cure = "unpack it" if first[:2] in (b"PK", b"\x1f\x8b") else ""
        raise ReaderError(f"a word and its numbers in line 1 of {path}", got, cure)
    return len(fields) - 1, None


def _word(line: bytes, size: int, path: Path, number: int) -> bytes:
    """Return what stands before the numbers; all but a few lines are settled by counting blanks."""
    surplus = line.count(b" ") - size
    if surplus == 0:
        return line.partition(b" ")[0]
    fields = line.split(b" ")
    if surplus < 0 or all(map(_is_number, fields[1 : surplus + 1])):
        raise ReaderError(
            f"a word and {size} numbers in line {number:,} of {path}", f"{len(fields) - 1} numbers"
        )
    return b" ".join(fields[: surplus + 1])


def _numbers(line: bytes, size: int, path: Path, number: int) -> NDArray[np.float32]:
    fields = line.split(b" ")[-size:]
    for field in fields:
        if not _is_number(field):
            got = repr(field.decode("utf-8", "replace"))
            raise ReaderError(f"numbers in line {number:,} of {path}", got)
    vector = np.array([float(field) for field in fields])
    if not (np.abs(vector) <= np.finfo(np.float32).max).all():
        bad = fields[int(np.argmin(np.abs(vector) <= np.finfo(np.float32).max))].decode()
        raise ReaderError(f"finite numbers in line {number:,} of {path}", bad)
    return vector.astype(np.float32)


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
