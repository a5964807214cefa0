"""Text files, one or many, and their parts for training, validation and test."""

import glob
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.known_data import how_to_get

_NAMES = {"train": r"train", "valid": r"val(id(ation)?)?", "test": r"test"}
_SHOWN = 3  # of the files that are left out
_SHORTEST_PART = 2  # a token to go on from, and one to predict


@dataclass(frozen=True)
class TextParts:
    """A text in the parts that a model learns from, is chosen by, and is measured on.

    Args:
        train: what is learnt from.
        valid: what chooses the best weights; empty where the text is too short to hold any out.
        test: what measures; empty where there is none.
        files: SHA-256 of every file that ``train`` has a share in.
        left_out: files of a folder or a pattern that are no text, and why.
        split_by: how the parts came about: by the "names" of the files, or by "position".
    """

    train: str
    valid: str = ""
    test: str = ""
    files: list[str] = field(default_factory=list)
    left_out: dict[Path, str] = field(default_factory=dict)
    split_by: Literal["names", "position"] = "position"

    @property
    def held_out(self) -> str:
        """The part that measures: test, or else valid."""
        return self.test or self.valid

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of each part."""
        return {part: hash_text(getattr(self, part)) for part in ("train", "valid", "test")}


def read_text(path: str | Path, *, encoding: str = "utf-8") -> str:
    """Read a whole text file, line ends as ``\\n``.

    A byte order mark at the beginning is no part of the text.

    Raises:
        ReaderError: the file is missing, a folder, empty, or has bytes that are not text in this
            encoding; the message has the offset of the first such byte, or how to get the file
            where it is that of a well-known data set.
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
        raise ReaderError(f"a text file at {path}", got, _cure(path))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ReaderError(f"a readable file at {path}", error.strerror or "an error") from None
    text = decode_text(data, path, encoding=encoding)
    if not text:
        raise ReaderError(f"text in {path}", "an empty file")
    return text


def decode_text(data: bytes, path: Path, *, encoding: str = "utf-8") -> str:
    """Return the text that bytes stand for, line ends as ``\\n``, as ``read_text`` does."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        byte = f"byte 0x{data[error.start]:02x} at offset {error.start}"
        likely = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
        raise ReaderError(
            f"{encoding} text in {path}", byte, f"name its encoding, as in --encoding {likely}"
        ) from None
    except (LookupError, ValueError):
        raise ReaderError("the name of an encoding", repr(encoding), "try utf-8") from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True)
class TextFiles:
    """The texts of one or many files.

    Args:
        texts: by path, in the order of the paths.
        left_out: files that are no text, and why.
    """

    texts: dict[Path, str]
    left_out: dict[Path, str] = field(default_factory=dict)


def find_files(source: str | Path) -> list[Path]:
    """Return one file, every file in a folder, or what a pattern such as ``*.tex`` matches.

    Hidden files and folders are left out of a folder; ``**`` in a pattern stands for any folders;
    a file that is reached by several ways counts once.

    Raises:
        ReaderError: there is nothing; a well-known data set comes with how to get it.
    """
    path = Path(source)
    if path.is_dir():
        inside = (found.relative_to(path) for found in path.rglob("*"))
        visible = [p for p in inside if not any(name.startswith(".") for name in p.parts)]
        paths = [path / found for found in visible if (path / found).is_file()]
    elif any(mark in str(source) for mark in "*?[") and not path.exists():
        matches = map(Path, glob.glob(str(source), recursive=True))
        paths = [found for found in matches if found.is_file()]
    elif path.exists():
        paths = [path]
    else:
        raise ReaderError(f"a text file at {path}", "nothing there", _cure(path))
    if not paths:
        raise ReaderError(f"text files at {source}", "none", "check the path or the pattern")
    once: dict[Path, Path] = {}  # links to a file or a folder would repeat what it holds
    for found in sorted(paths):
        once.setdefault(found.resolve(), found)
    return list(once.values())


def read_texts(source: str | Path, *, encoding: str = "utf-8") -> TextFiles:
    """Read one file, every file in a folder, or what a pattern such as ``*.tex`` matches.

    A file named alone must be text. Of a folder or a pattern, files that are empty or not text are
    left out, and told of.

    Raises:
        ReaderError: there is nothing that can be read.
    """
    paths = find_files(source)
    if paths == [Path(source)]:
        return TextFiles({paths[0]: read_text(paths[0], encoding=encoding)})
    texts, left_out = {}, {}
    for path in paths:
        try:
            texts[path] = read_text(path, encoding=encoding)
        except ReaderError as error:
            left_out[path] = f"{error.got}; {error.cure}" if error.cure else error.got
    if not texts:
        path, reason = next(iter(left_out.items()))
        raise ReaderError(f"{encoding} text at {source}", f"none; {path}: {reason}")
    return TextFiles(texts, left_out)


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
    found = read_texts(source, encoding=encoding)
    named = _parts_by_name(found)
    if named is not None:
        return named
    parts = split_texts(list(found.texts.values()), split=split)
    return replace(parts, left_out=found.left_out)


def split_texts(texts: Sequence[str], *, split: str = "90/5/5") -> TextParts:
    """Join texts and cut them into parts.

    Args:
        texts: in the order in which they are read; a line end is put between two where none is.
        split: percentages of the whole for train, valid and test.
    Raises:
        ReaderError: there is no text in them.
        ConfigError: an impossible split.
    Example:
        >>> split_texts(["abcde", "fghi"], split="80/20").train
        'abcde\\nfg'
    """
    shares = _shares(split)
    whole = join_texts(filter(None, texts))
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


def join_texts(texts: Iterable[str]) -> str:
    """Join texts so that no line of one runs on into the next."""
    texts = list(texts)
    ended = [text if text.endswith("\n") else f"{text}\n" for text in texts[:-1]]
    return "".join([*ended, *texts[-1:]])


def tell_left_out(left_out: dict[Path, str]) -> list[str]:
    """Return a sentence on the files that were left out; none where there are none."""
    if not left_out:
        return []
    shown = [f"{path} ({reason})" for path, reason in list(left_out.items())[:_SHOWN]]
    more = f", and {len(left_out) - _SHOWN:,} more" if len(left_out) > _SHOWN else ""
    count = "1 file is" if len(left_out) == 1 else f"{len(left_out):,} files are"
    return [f"{count} no text and left out: {', '.join(shown)}{more}"]


def hash_text(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def part_named(path: Path) -> str | None:
    """Return the part that a file's name speaks of: train, valid or test.

    Example:
        >>> [part_named(Path(name)) for name in ("ptb.valid.txt", "wiki.test.raw", "trains.txt")]
        ['valid', 'test', None]
    """
    words = re.split(r"[^a-z]+", path.name.lower())
    fits = (p for p, name in _NAMES.items() if any(re.fullmatch(name, word) for word in words))
    return next(fits, None)


def _parts_by_name(found: TextFiles) -> TextParts | None:
    parts: dict[str, list[str]] = {part: [] for part in _NAMES}
    for path, text in found.texts.items():
        part = part_named(path)
        if part is not None:
            parts[part].append(text)
    named = [path for path in found.left_out if part_named(path)]
    if named and any(parts.values()):  # without it the split would silently be another one
        raise ReaderError(f"text in {named[0]}", found.left_out[named[0]])
    if not (parts["train"] and (parts["valid"] or parts["test"])):
        return None
    files = [hash_text(text) for text in parts["train"]]
    joined = {part: join_texts(texts) for part, texts in parts.items()}
    return TextParts(**joined, files=files, left_out=found.left_out, split_by="names")


def _cure(path: Path) -> str:
    command = how_to_get(path)
    return f"check the path, or {command}" if command else "check the path"


def _shares(split: str) -> tuple[float, float, float]:
    try:
        train, valid, test = ([float(part) for part in split.split("/")] + [0.0, 0.0])[:3]
    except ValueError:
        train, valid, test = -1.0, 0.0, 0.0
    if train <= 0 or min(valid, test) < 0 or abs(train + valid + test - 100) > 1e-6:
        raise ConfigError("a split such as 90/5/5 or 90/10, adding up to 100", repr(split))
    return train, valid, test
