"""What a survey sees in a file."""

from pathlib import Path

import pytest

from unrolled.readers.text_survey import Surprise, survey_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.txt"


def test_a_plain_text_holds_no_surprise(path: Path) -> None:
    path.write_text("naïve\tcafé\n猫\n", encoding="utf-8")
    survey = survey_file(path)
    assert (survey.damage("utf-8"), survey.surprises()) == ("", {})
    assert survey.num_bytes == path.stat().st_size


def test_every_byte_that_is_no_text_is_counted_and_the_first_are_named(path: Path) -> None:
    path.write_bytes("é".encode() + b"a\xe9b\xff\xfec\x80\n")
    survey = survey_file(path)
    assert (survey.bad_bytes, survey.bad_offsets) == (4, (3, 5, 6))
    assert "4 bytes are no utf-8 text, at offsets 3, 5, 6, ..." in survey.damage("utf-8")
    assert survey_file(path, encoding="latin-1").bad_bytes == 0


def test_one_bad_byte_is_one(path: Path) -> None:
    path.write_bytes(b"abc\xe9")
    assert ": 1 byte is no utf-8 text, at offset 3; mend it" in survey_file(path).damage("utf-8")


def test_another_encoding_names_the_first_place(path: Path) -> None:
    path.write_bytes("ab".encode("utf-16-le") + b"\x00\xdc")
    assert survey_file(path, encoding="utf-16-le").bad_offsets == (4,)


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"", Surprise.EMPTY, ""),
        (b"a\nb\r\nc\rd\r\n", Surprise.LINE_ENDS, r"1 \n, 2 \r\n, 1 \r"),
        (b"a\0b\0", Surprise.NUL, "2"),
        (b"a\x0cb\x1b[0m\x7f", Surprise.CONTROL, "3"),
        (b"\xef\xbb\xbfa", Surprise.BYTE_ORDER_MARK, ""),
    ],
)
def test_surprises_are_told_apart(path: Path, data: bytes, kind: Surprise, words: str) -> None:
    path.write_bytes(data)
    assert survey_file(path).surprises() == {kind: words}


def test_a_file_that_cannot_be_read_is_damaged(tmp_path: Path) -> None:
    assert "No such file" in survey_file(tmp_path / "none").damage("utf-8")
