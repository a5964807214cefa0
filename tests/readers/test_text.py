"""Reading text, and saying what is wrong with what is not."""

from pathlib import Path

import pytest

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.text import (
    hash_text,
    read_parts,
    read_text,
    read_texts,
    split_texts,
    tell_left_out,
)


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


def test_texts_in_memory_are_joined_and_split() -> None:
    texts = ["abcde\n", "", "fghi", "klmno\n", "pqrs"]
    parts = split_texts(texts, split="80/10/10")
    assert (parts.train, parts.valid, parts.test) == ("abcde\nfghi\nklmno\n", "pq", "rs")
    assert parts.files == [hash_text(text) for text in texts]
    with pytest.raises(ReaderError, match="some text, got none"):
        split_texts(["", ""])


def test_a_folder_of_mixed_files_is_read_and_the_others_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "a.h").write_text("int a;\n")
    (tmp_path / "b.h").write_bytes(b"/* caf\xe9 */\n")
    (tmp_path / "c.h").touch()
    (tmp_path / "d.h").mkdir()
    (tmp_path / "d.h" / "e.h").write_text("int e;\n")
    parts = read_parts(f"{tmp_path}/**/*.h", split="50/50")
    assert parts.train + parts.valid == "int a;\nint e;\n"
    assert list(parts.left_out) == [tmp_path / "b.h", tmp_path / "c.h"]
    (sentence,) = tell_left_out(parts.left_out)
    assert "2 files are no text and left out" in sentence
    assert "byte 0xe9 at offset 6" in sentence
    assert tell_left_out({}) == []
    assert tell_left_out({Path(n): "" for n in "abcde"})[0].endswith(", and 2 more")


def test_a_folder_of_no_text_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    with pytest.raises(ReaderError, match=r"got none; .*a\.png: byte 0x89 at offset 0"):
        read_texts(tmp_path)


def test_a_damaged_part_is_not_left_out_silently(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("text\n")
    (tmp_path / "test.txt").write_bytes(b"\xff")
    with pytest.raises(ReaderError, match=r"text in .*test\.txt, got byte 0xff"):
        read_parts(tmp_path)


def test_hidden_folders_are_left_out_and_links_count_once(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("hidden\n")
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.txt").write_text("a\n")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "z.txt").symlink_to(tmp_path / "real" / "a.txt")
    assert list(read_texts(tmp_path).texts.values()) == ["a\n"]
    assert list(read_texts(f"{tmp_path}/**/*.txt").texts.values()) == ["a\n"]


def test_files_are_joined_at_line_ends(tmp_path: Path) -> None:
    for name, text in (("a", "one"), ("b", "two\n"), ("c", "three")):
        (tmp_path / name).write_text(text)
    assert read_parts(tmp_path, split="100").train == "one\ntwo\nthree"


def test_a_name_with_brackets_is_a_name(tmp_path: Path) -> None:
    (tmp_path / "a[1].txt").write_text("text")
    assert read_parts(tmp_path / "a[1].txt", split="100").train == "text"


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbftext")
    assert read_text(tmp_path / "a.txt") == "text"
    (tmp_path / "b.txt").write_bytes("text".encode("utf-16"))
    with pytest.raises(ReaderError, match="as in --encoding utf-16"):
        read_text(tmp_path / "b.txt")
    assert read_text(tmp_path / "b.txt", encoding="utf-16") == "text"
