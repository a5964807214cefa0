"""COCO's result files: what is written is read, and what is damaged is named."""

import json
from pathlib import Path

import pytest

from unrolled.errors import ReaderError
from unrolled.metrics import read_coco_results, write_coco_results


def test_what_is_written_is_read(tmp_path: Path) -> None:
    captions = {404464: "a man", 7: 'a "café"', "b.jpg": "two dogs"}
    write_coco_results(tmp_path / "r.json", captions)
    assert read_coco_results(tmp_path / "r.json") == captions
    assert json.loads((tmp_path / "r.json").read_text())[0] == {
        "image_id": 404464,
        "caption": "a man",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "JSON in"),
        ("[" * 100_000, "JSON in"),
        ("{}", "a list of captions .* got a dict"),
        ('[{"image_id": 1}]', "entry 0"),
        ('[{"image_id": 1, "caption": "a"}, 3]', "entry 1: 3"),
        ('[{"image_id": true, "caption": "a"}]', "entry 0"),
        ('[{"image_id": 1, "caption": "a"}, {"image_id": 1, "caption": "b"}]', "entry 1: 1 again"),
    ],
)
def test_what_is_damaged_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(ReaderError, match=words) as caught:
        read_coco_results(path)
    assert "r.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"none\.json"):
        read_coco_results(tmp_path / "none.json")
