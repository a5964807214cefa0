"""``unrolled data check --task video`` and ``unrolled bench video``, as a user types them."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from acceptance.numbered_video import write_numbered

from unrolled.cli import main
from unrolled.models import CausalX3D


@pytest.fixture
def clips(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("run/a.mp4", "run/b.mp4", "jump/c.mp4", "jump/d.mp4"):
        path = tmp_path / "clips" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_numbered(path, range(len(name) + ord(path.stem)))
    return tmp_path / "clips"


def checked(capsys, *arguments: str, code: int = 0) -> dict:
    assert main(["data", "check", *arguments, "--task", "video", "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_a_good_folder(clips: Path, capsys) -> None:
    figures = checked(capsys, "clips")
    assert (figures["total"], figures["used"], figures["rejected"]) == (4, 4, [])
    frames = {path.stem: 9 + ord(path.stem) for path in clips.rglob("[ab].mp4")}
    assert figures["classes"]["run"] == {"items": 2, "groups": 2, "frames": sum(frames.values())}
    assert figures["videos"]["codecs"] == {"h264": 4}
    assert figures["videos"]["seconds"]["least"] == pytest.approx(frames["a"] / 25)
    assert figures["videos"]["frames_per_second"]["most"] == 25
    assert len(figures["shorter_than_a_clip"]) == 0
    short = checked(capsys, "clips", "--clip-frames", "50", "--frames-per-second", "10")
    assert len(short["shorter_than_a_clip"]) == 4
    assert main(["data", "check", "clips", "--task", "video"]) == 0
    out = capsys.readouterr().out
    assert "4 used + 0 left out = 4 items" in out
    assert "nothing is damaged" in out


def test_all_that_is_bad_is_named_and_the_rest_is_read(clips: Path, capsys) -> None:
    (clips / "run" / "text.mp4").write_text("no video\n" * 50)
    (clips / "run" / "copy.mp4").write_bytes((clips / "jump" / "c.mp4").read_bytes())
    cut = clips / "jump" / "cut.mp4"
    cut.write_bytes((clips / "jump" / "d.mp4").read_bytes()[:-1500])
    (clips / "sit").mkdir()
    (clips / "run" / "notes.txt").touch()
    assert main(["data", "check", "clips", "--task", "video"]) == 2
    captured = capsys.readouterr()
    assert "6 used + 3 left out = 9 items" in captured.out
    assert "left out: clips/sit: a class folder without videos" in captured.out
    assert "left out: clips/run/notes.txt: a file named .txt is no video" in captured.out
    assert "same file, in other groups and classes: clips/jump/c.mp4 and clips/run/copy" in (
        captured.out
    )
    assert "damaged: clips/run/text.mp4: a file that is none" in captured.err
    assert "damaged: clips/jump/cut.mp4: frame " in captured.err
    figures = checked(capsys, "clips", code=2)
    assert figures["total"] == figures["used"] + len(figures["rejected"]) == 9
    assert list(figures["damaged"]) == ["clips/jump/cut.mp4"]


def test_strict_minds_what_is_left_out(clips: Path, capsys) -> None:
    (clips / "list.txt").write_text("run/a.mp4 run\njump/c.mp4 jump\nrun/gone.mp4 run\n")
    figures = checked(capsys, "clips/list.txt")
    assert figures["rejected"] == [["clips/run/gone.mp4", "nothing there"]]
    checked(capsys, "clips/list.txt", "--strict", code=2)
    checked(capsys, "clips/list.txt", "--group", r"(\w)\.mp4")


def test_sequences_are_looked_at_too(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(4):
        np.save(tmp_path / f"{number}.npy", np.zeros((10 + number, 3)))
    np.save(tmp_path / "bad.npy", np.array([np.inf]))
    rows = [f"{number}.npy,{'ab'[number % 2]}" for number in range(4)]
    (tmp_path / "list.csv").write_text("\n".join(["path,label", *rows, "bad.npy,a", ""]))
    figures = checked(capsys, "list.csv", "--clip-frames", "12", code=2)
    assert figures["sequences"] == {
        "files": 4,
        "steps": {"least": 10, "median": 11.5, "most": 13},
        "shapes": {"3": 4},
    }
    assert figures["rejected"] == [["bad.npy", "others in step 0"]]
    assert figures["shorter_than_a_clip"] == ["0.npy", "1.npy"]
    assert figures["total"] == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["data", "check", "gone", "--task", "video"], "got nothing there"),
        (["data", "check", ".", "--task", "video", "--clip-frames", "0"], "clip_frames and"),
        (["data", "check", "clips", "--task", "video", "--group", "("], "a pattern with --group"),
        (["bench", "video", "--rounds", "0"], "one round"),
    ],
)
def test_what_cannot_be_done_is_one_line(clips: Path, capsys, arguments, words: str) -> None:
    assert clips.is_dir()
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert len(captured.err.strip().splitlines()) == 1


def test_bench_reads_the_same_as_a_plain_loop(capsys, monkeypatch) -> None:
    from unrolled.benchmarks import reading

    monkeypatch.setattr(reading, "HEIGHT", 48)
    monkeypatch.setattr(reading, "WIDTH", 64)
    assert (
        main(["bench", "video", "--part", "reading", "--seconds", "1", "--rounds", "1", "--json"])
        == 0
    )
    rows = json.loads(capsys.readouterr().out)["reading"]
    assert len(rows) == 6
    assert all(row["identical"] for row in rows)
    assert {row["frames"] for row in rows} == {25, 16, 80}


def test_bench_steps_give_what_a_window_gives(capsys, monkeypatch) -> None:
    from unrolled.benchmarks import causal_video

    small = partial(CausalX3D, widths=(4, 6), depths=(1, 1), head_size=7, window=3)
    monkeypatch.setattr(causal_video, "CausalX3D", small)
    for name, size in (
        ("_CHANNELS", 4),
        ("_PIXELS", 7),
        ("_X3D_PIXELS", 32),
        ("_SMALL_PIXELS", 32),
    ):
        monkeypatch.setattr(causal_video, name, size)
    command = ["bench", "video", "--part", "causal", "--rounds", "1"]
    assert main([*command, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["causal"]
    for name in ("dense_layer", "depthwise_layer", "x3d_s", "causal_small"):
        part = figures[name]
        assert part["largest_relative_difference"] <= 1e-5
        ratio = part["window_of_13_milliseconds"] / part["stream_milliseconds"]
        assert part["times_faster_than_window_of_13"] == pytest.approx(ratio)
    assert main(command) == 0
    assert "dense layer" in capsys.readouterr().out
