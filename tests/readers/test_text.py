"""Reading text, and saying what is wrong with what is not."""

from pathlib import Path

import pytest

from unrolled.errors import ReaderError
from unrolled.readers.text import read_text


def test_line_ends_become_one_character(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("a\r\nb\rc\n→".encode())
    assert read_text(path) == "a\nb\nc\n→"


def test_another_encoding_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"caf\xe9")
    assert read_text(path, encoding="latin-1") == "café"
    with pytest.raises(ReaderError, match=r"byte 0xe9 at offset 3; name its encoding"):
        read_text(path)
    with pytest.raises(ReaderError, match="name of an encoding, got 'utf-9'"):
        read_text(path, encoding="utf-9")


def test_missing_empty_and_foreign_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match="nothing there"):
        read_text(tmp_path / "none.txt")
    with pytest.raises(ReaderError, match="got a folder"):
        read_text(tmp_path)
    (tmp_path / "empty.txt").touch()
    with pytest.raises(ReaderError, match="an empty file"):
        read_text(tmp_path / "empty.txt")
