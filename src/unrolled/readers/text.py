"""Text files, one or many, and their parts for training, validation and test."""

import glob
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unrolled.errors import ConfigError, ReaderError

_NAMES = {"train": r"train", "valid": r"val(id(ation)?)?", "test": r"test"}
_SHORTEST_PART = 2  # a token to go on from, and one to predict


@dataclass(frozen=True)
class TextParts:
    """A text in the parts that a model learns from, is chosen by, and is measured on.

    Args:
        train: what is learnt from.
        valid: what chooses the best weights; empty where the text is too short to hold any out.
        test: what measures; empty where there is none.
        files: SHA-256 of every file that ``train`` has a share in.
    """

    train: str
    valid: str = ""
    test: str = ""
    files: list[str] = field(default_factory=list)

    @property
    def held_out(self) -> str:
        """The part that measures: test, or else valid."""
        return self.test or self.valid

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of each part."""
        return {part: hash_text(getattr(self, part)) for part in ("train", "valid", "test")}


def read_text(path: str | Path, *, encoding: str = "utf-8") -> str:
    """Read a whole text file, line ends as ``\\n``.

    Raises:
        ReaderError: the file is missing, a folder, empty, or has bytes that are not text in this
            encoding; the message has the offset of the first such byte.
    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "hello.txt"
        >>> _ = path.write_text("hello")
        >>> read_text(path)
        'hello'
    """
    path = Path(path)
    if not path.is_file():
        got = "a folder" if path.is_dir() else "nothing there"
        raise ReaderError(f"a text file at {path}", got, "check the path")
    try:
        data = path.read_bytes()
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        byte = f"byte 0x{data[error.start]:02x} at offset {error.start}"
        raise ReaderError(
            f"{encoding} text in {path}", byte, "name its encoding, as in --encoding latin-1"
        ) from None
    except LookupError:
        raise ReaderError("the name of an encoding", repr(encoding), "try utf-8") from None
    except OSError as error:
        raise ReaderError(f"a readable file at {path}", error.strerror or "an error") from None
    if not text:
        raise ReaderError(f"text in {path}", "an empty file")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_texts(source: str | Path, *, encoding: str = "utf-8") -> dict[Path, str]:
    """Read one file, every file in a folder, or what a pattern such as ``*.tex`` matches.

    Among many, empty files are passed over.

    Returns:
        The texts by path, in the order of the paths.
    Raises:
        ReaderError: there is nothing to read, or one of the files cannot be read.
    """
    path = Path(source)
    if path.is_dir():
        paths = [p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".")]
    elif any(mark in str(source) for mark in "*?["):
        paths = [Path(match) for match in glob.glob(str(source), recursive=True)]
    else:
        paths = [path]
    if len(paths) > 1:
        paths = [p for p in paths if p.is_file() and p.stat().st_size]
    if not paths:
        raise ReaderError(f"text files at {source}", "none", "check the path or the pattern")
    return {found: read_text(found, encoding=encoding) for found in sorted(paths)}


def read_parts(source: str | Path, *, split: str = "90/5/5", encoding: str = "utf-8") -> TextParts:
    """Read a text in parts: by the files' names where they say train, valid and test, or by split.

    Args:
        source: a file, a folder or a pattern.
        split: percentages of the text for train, valid and test, in the order of the text.
        encoding: of the files.
    Raises:
        ReaderError: see ``read_texts``.
        ConfigError: an impossible split.
    """
    texts = read_texts(source, encoding=encoding)
    named = _parts_by_name(texts)
    return named if named is not None else split_texts(list(texts.values()), split=split)


def split_texts(texts: Sequence[str], *, split: str = "90/5/5") -> TextParts:
    """Join texts and cut them into parts.

    Args:
        texts: in the order in which they are read.
        split: percentages of the whole for train, valid and test.
    Raises:
        ReaderError: there is no text in them.
        ConfigError: an impossible split.
    Example:
        >>> split_texts(["abcde", "fghij"], split="80/20").valid
        'ij'
    """
    shares = _shares(split)
    whole = "".join(texts)
    if not whole:
        raise ReaderError("some text", "none")
    first = round(len(whole) * shares[0] / 100)
    second = round(len(whole) * (shares[0] + shares[1]) / 100)
    parts = (whole[:first], whole[first:second], whole[second:])
    files = [hash_text(text) for text in texts]
    wanted = [part for part, share in zip(parts, shares, strict=True) if share]
    if any(len(part) < _SHORTEST_PART for part in wanted):
        return TextParts(whole, files=files)
    return TextParts(*parts, files=files)


def hash_text(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _parts_by_name(texts: dict[Path, str]) -> TextParts | None:
    parts: dict[str, list[str]] = {part: [] for part in _NAMES}
    for path, text in texts.items():
        words = re.split(r"[^a-z]+", path.stem.lower())
        part = next(
            (p for p, name in _NAMES.items() if any(re.fullmatch(name, word) for word in words)),
            None,
        )
        if part is not None:
            parts[part].append(text)
    if not (parts["train"] and (parts["valid"] or parts["test"])):
        return None
    files = [hash_text(text) for text in parts["train"]]
    joined = {part: "".join(found) for part, found in parts.items()}
    return TextParts(**joined, files=files)


def _shares(split: str) -> tuple[float, float, float]:
    try:
        train, valid, test = ([float(part) for part in split.split("/")] + [0.0, 0.0])[:3]
    except ValueError:
        train, valid, test = -1.0, 0.0, 0.0
    if train <= 0 or min(valid, test) < 0 or abs(train + valid + test - 100) > 1e-6:
        raise ConfigError("a split such as 90/5/5 or 90/10, adding up to 100", repr(split))
    return train, valid, test
