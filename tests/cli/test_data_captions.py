"""``unrolled data check --task captioning``."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.readers import tiny_captions as tiny
from unrolled.cli import main

GOOD = "image,caption\na.jpg,A dog runs.\na.jpg,The dog runs!\nb.jpg,Two cats\n"


def checked(capsys, path: Path, *arguments: str) -> tuple[int, str, str]:
    code = main(["data", "check", str(path), "--task", "captioning", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_it_counts(capsys, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(GOOD)
    code, out, _ = checked(capsys, tmp_path / "c.csv", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["pictures"], found["captions"], found["words"]) == (2, 3, 8)
    assert found["captions_per_picture"] == {"1": 1, "2": 1}
    assert found["distinct_words"]["2"] == 2  # dog, runs
    assert found["missing_pictures"] is None
    code, out, _ = checked(capsys, tmp_path / "c.csv")
    assert code == 0
    assert "2: 1 with 1, 1 with 2" in out
    assert "nothing is damaged" in out


def test_missing_pictures_and_damaged_lines_are_named(capsys, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(GOOD + "c.jpg,\n")
    (tmp_path / "a.jpg").touch()
    code, out, err = checked(capsys, tmp_path / "c.csv", "--images", str(tmp_path))
    assert code == 2
    assert "missing pictures" in out
    assert "c.csv, line 5: c.jpg: no caption" in err
    assert "a.jpg: an empty file" in err
    assert "b.jpg: nothing there" in err


def test_pictures_are_opened_and_a_sheet_shows_what_a_model_sees(capsys, tmp_path: Path) -> None:
    source = tiny.write_csv(tmp_path / "data")
    Image.new("CMYK", (30, 12)).save(source / "c.png", "TIFF")
    (source / "d.png").write_bytes((source / "d.png").read_bytes()[:300])
    (source / "e.png").write_bytes((source / "f.png").read_bytes())
    sheet = tmp_path / "sheets" / "seen.png"
    code, out, err = checked(capsys, source, "--json", "--sheet", str(sheet))
    found = json.loads(out)
    assert code == 2
    assert (found["used"], len(found["rejected"]), found["total"]) == (9, 1, 10)
    assert found["files"]["kinds"] == {"PNG RGB": 8, "TIFF CMYK": 1}
    assert found["files"]["width"] == {"least": 28, "median": 28, "most": 30}
    assert found["files"]["duplicates"] == [["e.png", "f.png"]]
    assert "d.png" in found["damage"][0]
    with Image.open(sheet) as picture:
        assert picture.size == (956, 1080)
    code, out, err = checked(capsys, source)
    assert "PNG RGB 8, TIFF CMYK 1" in out
    assert "note: the same file: e.png, f.png" in out
    assert err.count("damaged: ") == 1


def test_boxes_are_counted(capsys, tmp_path: Path) -> None:
    tiny.write_pictures(tmp_path, ["a.png"])
    things = [{"name": "dog", "box": [1, 2, 9, 9]}, {"name": "dog", "box": [0, 0, 5, 5]}]
    entries = [tiny.karpathy_entry("a.png", "train", objects=things)]
    (tmp_path / "dataset_tiny.json").write_text(json.dumps({"images": entries}))
    code, out, _ = checked(capsys, tmp_path, "--json")
    assert (code, json.loads(out)["objects"]) == (0, {"dog": 2})


@pytest.mark.parametrize("films", [False, True])
def test_the_world_is_shown_too(capsys, tmp_path: Path, films: bool) -> None:
    sheet = tmp_path / "seen.png"
    arguments = ["--scenes", "20", "--json", "--sheet", str(sheet), *["--films"] * films]
    code, out, _ = checked(capsys, Path("world"), *arguments)
    found = json.loads(out)
    assert code == 0
    assert (found["used"], found["parts"]) == (20, {"train": 16, "valid": 2, "test": 2})
    assert found["captions"] >= 100
    assert (found["objects"] is None) == films
    assert sheet.exists()


def test_a_sheet_that_cannot_be_written_is_one_line(capsys, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sheet = str(tmp_path / "file" / "seen.png")
    code, _, err = checked(capsys, Path("world"), "--scenes", "20", "--sheet", sheet)
    assert code == 2
    assert "--sheet" in err
    assert err.count("\n") == 1


def test_what_is_no_file_of_captions_is_refused_in_one_line(capsys, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("[1]")
    code, _, err = checked(capsys, tmp_path / "c.json")
    assert code == 2
    assert err.count("\n") == 1
    (tmp_path / "c.csv").write_text(GOOD)
    code, _, err = checked(capsys, tmp_path / "c.csv", "--images", str(tmp_path / "none"))
    assert code == 2
    assert "a folder of pictures" in err
