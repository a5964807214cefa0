"""The describing part of the demo: in a pipe, in a terminal, stopped, and what it leaves behind."""

import contextlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.test_demo import in_terminal
from tests.reports.short import shorten_reports
from unrolled.cli import demo, demo_describing, main
from unrolled.tasks import describer
from unrolled.tasks.captioning.learning_options import CaptioningTrainingOptions
from unrolled.tasks.captioning.model import CaptioningModel
from unrolled.tasks.describer_options import describer_training
from unrolled.training.signals import Stopped

DESCRIBING = ["demo", "--only", "describing", "--minutes", "0.01", "--out", "d"]

FEW = replace(describer.READING, scenes=60, split="60/20/20")


def in_thirty_steps(_minutes: float, seed: int) -> CaptioningTrainingOptions:
    """In minutes, a busy machine might learn to say nothing at all."""
    return replace(describer_training(1, seed), max_minutes=None, max_steps=30)


@pytest.fixture(autouse=True)
def _short_and_elsewhere(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(describer, "READING", FEW)
    monkeypatch.setitem(demo._TRAININGS, "describing", in_thirty_steps)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a demo that has run to its end, and what it printed as JSON."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patched, contextlib.chdir(folder):
        shorten_reports(patched)
        patched.setattr(describer, "READING", FEW)
        patched.setitem(demo._TRAININGS, "describing", in_thirty_steps)
        with (folder / "printed.json").open("w") as printed, contextlib.redirect_stdout(printed):
            assert main([*DESCRIBING, "--json"]) == 0
    return folder


def test_in_a_pipe_it_tells_what_it_learnt_and_keeps_where_it_looked(capsys) -> None:
    assert main(DESCRIBING) == 0
    captured = capsys.readouterr()
    places = [
        captured.out.index(words)
        for words in (
            "It writes to d.",
            "sees 36 pictures with what can be said",
            "Where it looked, word by word:",
            "Describing: after",
            "Of 12 unseen pictures",
            "would be right of",
            "d/describing/report.html",
            "unrolled predict d/describing world:7 --show",
        )
    ]
    assert places == sorted(places)
    assert "\x1b" not in captured.out
    assert "▀" not in captured.out
    assert captured.err == ""
    assert max(map(len, captured.out.splitlines())) <= 88
    with Image.open("d/describing/attention-1.png") as sheet:
        assert sheet.width > 160
    with Image.open("d/describing/attention-1.gif") as film:
        assert film.n_frames > 0


def test_its_figures_are_one_object_and_its_run_one_of_the_captioning_task(
    learnt: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(learnt)
    printed = Path("printed.json").read_text()
    figures = json.loads(printed, parse_constant=pytest.fail)["describing"]
    assert figures["finished"]
    assert figures["pictures"] == 12
    assert figures["exact"] == round(12 * figures["exact_match"])
    assert 0 <= figures["commonest_caption_exact"] <= 1
    assert all(Path(file).exists() for file in figures["attention"])
    assert CaptioningModel.load("d/describing/model").grid == (4, 4)
    assert main(["evaluate", "d/describing", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["exact_match"] == figures["exact_match"]
    assert main(["predict", "d/describing", "world:7"]) == 0
    assert "%" in capsys.readouterr().out


def test_the_report_needs_nothing_beside_it_and_shows_the_attention(learnt: Path) -> None:
    page = (learnt / "d/describing/report.html").read_text()
    assert page.count("data:image/jpeg;base64,") > 8
    for words in ("Where it looked", "Good and failed", "Do the captions differ?", "CIDEr-D"):
        assert words in page
    assert not re.search(r'(src|href)="(?!data:)', page), "nothing is fetched"


def test_stopped_while_it_describes_it_keeps_the_model(monkeypatch, capsys) -> None:
    def stopped(*_) -> None:
        raise Stopped

    monkeypatch.setattr(demo_describing, "_describe", stopped)
    assert main(DESCRIBING) == 130
    out = capsys.readouterr().out
    assert "Describing: stopped after" in out
    assert "unrolled train --resume d/describing" in out
    assert Path("d/describing/model/model.safetensors").exists()


RUN = """
import sys
from dataclasses import replace
from unrolled.cli import main
from unrolled.reports import curves
from unrolled.tasks import describer
describer.READING = replace(describer.READING, scenes=60, split="60/20/20")
curves.find_spec = lambda _: None
sys.exit(main(["demo", "--only", "describing", "--minutes", "0.01", "--out", "d"]))
"""


def test_in_a_terminal_pictures_stand_beside_the_captions() -> None:
    code, written = in_terminal(RUN)
    assert code == 0
    assert "▀".encode() in written
    text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", written).decode()
    assert "Where it looked" in text
    assert "Of 12 unseen pictures" in text
