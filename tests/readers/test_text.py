"""Reading text, and saying what is wrong with what is not."""

from pathlib import Path

import pytest

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.text import read_parts, read_text, read_texts


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


def test_a_text_is_split_by_position(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("".join(chr(97 + n % 26) for n in range(100)))
    text = read_text(path)
    parts = read_parts(path)
    assert (parts.train, parts.valid, parts.test) == (text[:90], text[90:95], text[95:])
    assert parts.held_out == parts.test
    parts = read_parts(path, split="80/20")
    assert (len(parts.train), len(parts.valid), parts.test) == (80, 20, "")
    assert parts.held_out == parts.valid
    assert read_parts(path, split="100").held_out == ""


def test_a_text_too_short_for_a_part_is_not_split(tmp_path: Path) -> None:
    (tmp_path / "hello.txt").write_text("hello")
    parts = read_parts(tmp_path / "hello.txt")
    assert (parts.train, parts.valid, parts.test) == ("hello", "", "")


@pytest.mark.parametrize("split", ["90/5", "0/50/50", "120/-10/-10", "most", ""])
def test_an_impossible_split_is_refused(tmp_path: Path, split: str) -> None:
    (tmp_path / "a.txt").write_text("text" * 50)
    with pytest.raises(ConfigError, match="adding up to 100"):
        read_parts(tmp_path / "a.txt", split=split)


def test_a_folder_is_split_by_the_names_of_its_files(tmp_path: Path) -> None:
    for part in ("train", "valid", "test"):
        (tmp_path / f"ptb.{part}.txt").write_text(f"{part}\n")
    parts = read_parts(tmp_path)
    assert (parts.train, parts.valid, parts.test) == ("train\n", "valid\n", "test\n")
    assert len(parts.files) == 1


def test_a_folder_or_a_pattern_is_read_in_order(tmp_path: Path) -> None:
    for name in ("b.tex", "a.tex", "constraint.md", ".hidden"):
        (tmp_path / name).write_text(name)
    assert list(read_texts(tmp_path).texts.values()) == ["a.tex", "b.tex", "constraint.md"]
    assert list(read_texts(f"{tmp_path}/*.tex").texts.values()) == ["a.tex", "b.tex"]
    with pytest.raises(ReaderError, match="got none; check the path or the pattern"):
        read_texts(f"{tmp_path}/*.c")
