"""``unrolled data check --task captioning``."""

import json
from pathlib import Path

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
    assert "line 5: no caption" in err
    assert "no picture b.jpg" in err


def test_what_is_no_file_of_captions_is_refused_in_one_line(capsys, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("[1]")
    code, _, err = checked(capsys, tmp_path / "c.json")
    assert code == 2
    assert err.count("\n") == 1
    (tmp_path / "c.csv").write_text(GOOD)
    code, _, err = checked(capsys, tmp_path / "c.csv", "--images", str(tmp_path / "none"))
    assert code == 2
    assert "a folder of pictures" in err
