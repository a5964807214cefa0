"""Captions in the formats that people have; what is damaged is named, never dropped in silence."""

import json
from pathlib import Path

import pytest

from unrolled.errors import ReaderError
from unrolled.readers.captions import CaptionedPicture, read_captions

COCO = {
    "images": [{"id": 9, "file_name": "b.jpg"}, {"id": 4, "file_name": "a.jpg"}],
    "annotations": [
        {"image_id": 4, "id": 1, "caption": "A dog.\n"},
        {"image_id": 9, "id": 2, "caption": "Two  cats."},
        {"image_id": 4, "id": 3, "caption": "The dog runs."},
    ],
}
KARPATHY = {
    "dataset": "coco",
    "images": [
        {
            "filepath": "val2014",
            "filename": "a.jpg",
            "split": "restval",
            "sentences": [{"raw": "A dog.", "tokens": ["a", "dog"]}, {"raw": "The dog runs."}],
        },
        {"filename": "b.jpg", "split": "test", "sentences": [{"raw": "Two cats."}]},
    ],
}
FLICKR = "a.jpg#0\tA dog.\nb.jpg#0\tTwo cats.\na.jpg#1\tThe dog runs.\n"
CSV = 'image,caption\na.jpg,A dog.\nb.jpg,"Two cats."\na.jpg,The dog runs.\n'
FILES = {
    "coco": json.dumps(COCO),
    "karpathy": json.dumps(KARPATHY),
    "flickr": FLICKR,
    "csv": CSV,
}


def read(folder: Path, text: str):
    (folder / "captions").write_text(text)
    return read_captions(folder / "captions")


@pytest.mark.parametrize("layout", FILES)
def test_all_formats_hold_the_same(tmp_path: Path, layout: str) -> None:
    found = read(tmp_path, FILES[layout])
    assert found.layout == layout
    assert not found.damaged
    prefix = "val2014/" if layout == "karpathy" else ""
    parts = ("train", "test") if layout == "karpathy" else (None, None)
    assert found.pictures == (
        CaptionedPicture(f"{prefix}a.jpg", ("A dog.", "The dog runs."), parts[0]),
        CaptionedPicture("b.jpg", ("Two cats.",), parts[1]),
    )


def with_annotation(annotation: object) -> str:
    return json.dumps({**COCO, "annotations": [*COCO["annotations"], annotation]})


def with_image(image: object) -> str:
    return json.dumps({"images": [*KARPATHY["images"], image]})


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        (with_annotation({"image_id": 5, "caption": "x"}), "annotation 3", "image 5 is not among"),
        (with_annotation({"image_id": 4}), "annotation 3", "no caption"),
        (with_annotation({"image_id": [4], "caption": "x"}), "annotation 3", "no image_id"),
        (with_annotation({"image_id": 4, "caption": " "}), "annotation 3", "no caption"),
        (with_annotation(None), "annotation 3", "no image_id"),
        (with_image({"filename": "c.jpg"}), "image 2", "no sentences"),
        (with_image({"filename": "c.jpg", "sentences": [7]}), "image 2", "no caption"),
        (FLICKR + "c.jpg#0  A bird.\n", "line 4", "no tab"),
        (FLICKR + "\nc.jpg#0\t \n", "line 5", "no caption"),
        (CSV + "c.jpg\n", "line 5", "1 columns and not 2"),
        (CSV + ",A bird.\n", "line 5", "no image"),
    ],
)
def test_what_is_damaged_is_named(tmp_path: Path, text: str, where: str, reason: str) -> None:
    found = read(tmp_path, text)
    assert [entry.where for entry in found.damaged] == [where]
    assert reason in found.damaged[0].reason
    assert len(found.pictures) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty file"),
        ("{", "JSON in"),
        ("[" * 100_000, "JSON in"),
        ("[]", "got neither"),
        ('{"annotations": []}', "got neither"),
        ('{"images": [], "annotations": []}', "got none; it was read as coco"),
        ("image,caption\n", "got none; it was read as csv"),
        ("hello\nthere\n", "got none; line 1: no tab"),
    ],
)
def test_a_file_without_captions_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ReaderError, match=words) as caught:
        read(tmp_path, text)
    assert str(tmp_path / "captions") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_may_hold_a_number_sign_and_a_caption_a_tab(tmp_path: Path) -> None:
    found = read(tmp_path, "a#b.jpg#0\tone\ttwo\nplain.jpg\tthree\n")
    named = [(picture.name, picture.captions) for picture in found.pictures]
    assert named == [("a#b.jpg", ("one two",)), ("plain.jpg", ("three",))]
