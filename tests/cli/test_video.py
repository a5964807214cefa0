"""The verbs over videos, through real command lines and real, tiny files."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import forked
from tests.readers.tiny_videos import write_video
from unrolled.cli import main
from unrolled.training.plain_yaml import read_yaml

SIZES = ["--height", "16", "--width", "16", "--clip-frames", "4", "--frames-per-second", "5"]
QUICK = [*SIZES, "--max-steps", "2", "--batch-size", "4", "--threads", "1"]
NETWORK = ["--set", "model.hidden_size=5"]


@pytest.fixture(autouse=True)
def videos(tmp_path: Path, monkeypatch) -> None:
    """Two classes of six videos, with what goes wrong in such folders beside them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("unrolled.reports.curves.find_spec", lambda _: None)
    for name, count in (("long", 12), ("short", 3)):
        Path("clips", name).mkdir(parents=True)
        for number in range(6):
            write_video(Path("clips", name, f"{number}.mp4"), count, size=16 + 2 * number)


def run(*arguments: str) -> int:
    return main(list(arguments))


def train(*options: str, data: str = "clips", out: str = "run") -> int:
    return run("train", "video", "--data", data, "--out", out, *QUICK, *NETWORK, *options)


def test_a_folder_of_videos_becomes_a_model_that_is_used(capsys) -> None:
    assert train("--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["used"], found["rejected"], found["total"]) == (12, 0, 12)
    assert found["streams"] is True
    page = Path("run/report.html").read_text()
    for words in ("Confusion", "Frame by frame", "What it sees", "data:image/jpeg"):
        assert words in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert run("evaluate", "run", "--json") == 0
    score = json.loads(capsys.readouterr().out)
    assert score["part"] == "held-out"
    assert score["clips"] == sum(map(sum, score["confusion"]))
    assert score["top1"] == found["top1"]
    assert run("evaluate", "run", "--part", "all", "--clips", "3", "--crops", "2") == 0
    assert "12 used + 0 rejected = 12" in capsys.readouterr().out
    assert run("predict", "run", "clips/long/0.mp4", "clips/short/1.mp4", "--json") == 0
    predictions = json.loads(capsys.readouterr().out)["predictions"]
    for prediction in predictions:
        total = sum(guess["probability"] for guess in prediction["guesses"])
        assert total == pytest.approx(1)


def test_a_run_says_whether_it_streams_and_resumes(capsys) -> None:
    assert train() == 0
    assert "streams: yes" in capsys.readouterr().out
    before = Path("run/model/model.safetensors").read_bytes()
    assert run("train", "--resume", "run") == 0
    assert Path("run/model/model.safetensors").read_bytes() == before
    assert run("train", "video", "--config", "run/config.yaml", "--out", "again") == 0
    assert Path("again/model/model.safetensors").read_bytes() == before
    assert (
        read_yaml(Path("again/config.yaml")).plain() == read_yaml(Path("run/config.yaml")).plain()
    )


def test_a_network_over_clips_does_not_stream(capsys) -> None:
    options = ["--model", "slow_fusion", "--set", "model.width=2"]
    assert run("train", "video", "--data", "clips", "--out", "run", *QUICK, *options) == 0
    assert "streams: no" in capsys.readouterr().out


def test_nothing_is_lost_in_silence(capsys) -> None:
    Path("clips/long/text.mp4").write_text("not a video")
    whole = Path("clips/short/0.mp4").read_bytes()
    Path("clips/short/cut.mp4").write_bytes(whole[: len(whole) // 3])
    Path("clips/empty").mkdir()
    assert train("--json") == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["used"] + found["rejected"] == found["total"] == 15
    assert "3 of 15 rejected" in captured.err
    assert train("--strict", out="other") == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert "expected nothing damaged in clips" in line
    assert not Path("other").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "nowhere"], "a folder or a list of videos at nowhere"),
        (["--data", "clips/long"], "labelled videos at clips/long"),
        (["--data", "clips", "--model", "causal_smal"], "did you mean causal_small"),
        (["--data", "clips", "--model", "bigram"], "a network that labels clips"),
        (["--data", "clips", "--freeze"], "--weights with --freeze"),
        (["--data", "clips", "--fold", "7"], "a fold such as 1/5"),
        (["--data", "clips", "--weights", "w.pth"], "weights at w.pth"),
        (["--data", "world", "--frames-per-second", "3"], "with --data world"),
        (["--data", "clips", "--model", "slow_fusion", "--window", "2"], "whole clips"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(capsys, arguments: list[str], words: str) -> None:
    given = {arguments[n]: arguments[n + 1 : n + 2] for n in range(0, len(arguments), 2)}
    quick = [word for n in range(0, len(QUICK), 2) if QUICK[n] not in given
             for word in QUICK[n : n + 2]]  # fmt: skip
    assert run("train", "video", *arguments, *quick, "--out", "run") == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert captured.out == ""


def test_sequences_of_vectors_are_learnt_by_a_cell(capsys) -> None:
    rows = ["path,label"]
    for number in range(12):
        np.save(f"{number}.npy", np.full((5 + number % 3, 2), number % 2, np.float32))
        rows.append(f"{number}.npy,{'ab'[number % 2]}")
    Path("list.csv").write_text("\n".join(rows))
    assert train("--model", "lstm", "--json", data="list.csv") == 0
    assert json.loads(capsys.readouterr().out)["used"] == 12
    assert run("predict", "run", "3.npy", "nothing.npy") == 2
    captured = capsys.readouterr()
    assert "3.npy" in captured.out
    assert "nothing.npy" in captured.err


def test_pictures_of_one_recording_are_one_item_and_no_copy_of_another() -> None:
    rows = ["path,label"]
    for number in range(12):
        for kind in ("range", "speed"):
            Path(kind).mkdir(exist_ok=True)
            shade = np.full((6, 5), 20 * number, np.uint8)  # 5 steps of 6 bins
            Image.fromarray(shade).save(Path(kind, f"{number}.png"))
        rows.append(f"*/{number}.png,{'ab'[number % 2]}")
    Path("list.csv").write_text("\n".join(rows))
    assert train("--model", "gru", "--split", "50/25/25", data="list.csv") == 0
    parts = json.loads(Path("run/model/config.json").read_text())["parts"]
    assert [len(parts[name]) for name in ("train", "valid", "test")] == [6, 3, 3]
    assert len({digest for part in parts.values() for digest in part}) == 12


def test_a_comparison_keeps_what_is_finished(capsys, monkeypatch) -> None:
    command = ["compare", "video", "--data", "clips", "--models", "single_frame,causal_small"]
    command += [*QUICK, "--set", "single_frame.width=2", "--set", "causal_small.hidden_size=3"]
    command += ["--seeds", "1", "--folds", "2", "--out", "table"]
    assert run(*command, "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert [row["runs"] for row in first["models"]] == [2, 2]
    assert [row["streams"] for row in first["models"]] == [False, True]
    monkeypatch.setattr("unrolled.tasks.video.comparison.begin", None)  # nothing is run again
    assert run(*command, "--json") == 0
    assert json.loads(capsys.readouterr().out) == first
    assert run(*command, "--format", "markdown") == 0
    assert "| causal_small |" in capsys.readouterr().out
    assert run(*command, "--epochs", "7") == 2
    assert "other training" in capsys.readouterr().err


def test_the_help_page_needs_no_torch() -> None:
    code = (
        "import sys; from unrolled.cli import main; main(['train', 'video', '--help']); "
        "main(['compare', 'video', '--help']); sys.exit('torch' in sys.modules)"
    )
    done = forked.run("-c", code, light=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Example: unrolled") >= 3


def test_clips_in_a_folder_are_not_decoded_again(capsys, monkeypatch) -> None:
    assert train("--cache", "kept", "--json") == 0
    first = json.loads(capsys.readouterr().out)
    with monkeypatch.context() as patched:
        patched.setattr("unrolled.tasks.video.data.read_clip", None)  # nothing is decoded again
        assert train("--cache", "kept", "--json", out="again") == 0
        second = json.loads(capsys.readouterr().out)
        assert second["nats_per_clip"] == first["nats_per_clip"]
        assert run("evaluate", "again", "--cache", "kept", "--json") == 0
        assert json.loads(capsys.readouterr().out)["top1"] == first["top1"]
    assert train("--cache", "clips/long/0.mp4", out="other") == 2
    assert "a folder for the cache at clips/long/0.mp4" in capsys.readouterr().err


def test_use_of_motion_is_told(capsys) -> None:
    options = ["--model", "single_frame", "--set", "model.width=2"]
    assert run("train", "video", "--data", "clips", "--out", "run", *QUICK, *options) == 0
    capsys.readouterr()
    assert run("evaluate", "run", "--motion", "--part", "all", "--json") == 0
    figures = json.loads(capsys.readouterr().out)["motion"]
    shares = figures["all"]
    assert shares["clips"] == 12
    assert shares["shuffled"] == shares["reversed"] == shares["in_order"]  # it averages frames
    assert set(figures["classes"]) == {"long", "short"}
    assert run("evaluate", "run", "--motion", "--part", "all") == 0
    assert "the middle clip of each, right %" in capsys.readouterr().out
