"""The watching part of the demo: in a pipe, in a terminal, stopped, and what it leaves behind."""

import contextlib
import json
import re
from pathlib import Path

import pytest

from tests.cli.test_demo import in_terminal
from tests.reports.short import shorten_reports
from unrolled.cli import demo_watching, main
from unrolled.tasks import watcher
from unrolled.tasks.video.model import VideoModel
from unrolled.training.signals import Stopped


@pytest.fixture(autouse=True)
def _short_and_elsewhere(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    shorten(monkeypatch)


def shorten(patched: pytest.MonkeyPatch) -> None:
    patched.setattr(watcher, "FILM_SECONDS", 4)
    patched.setattr(watcher, "_VALIDATION_FRAMES", 20)


WATCHING = ["demo", "--only", "watching", "--minutes", "0.005", "--out", "d"]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a demo that has run to its end, and what it printed as JSON."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patched, contextlib.chdir(folder):
        shorten_reports(patched)
        shorten(patched)
        with (folder / "printed.json").open("w") as printed, contextlib.redirect_stdout(printed):
            assert main([*WATCHING, "--json"]) == 0
    return folder


def test_in_a_pipe_it_tells_what_it_learnt_and_what_it_said(capsys) -> None:
    assert main(WATCHING) == 0
    captured = capsys.readouterr()
    places = [
        captured.out.index(words)
        for words in (
            "It writes to d.",
            "parameters watches 16 films side by side",
            "of unseen frames right",
            "A film that it never saw",
            "0.0 s  still ",
            "in 48 of 48 frames; probabilities differ by",
            "Watching: after",
            "d/watching/report.html",
            "unrolled stream d/watching YOUR.mp4",
        )
    ]
    assert places == sorted(places)
    assert "\x1b" not in captured.out
    assert captured.err == ""
    assert "nats per character" not in captured.out
    assert max(map(len, captured.out.splitlines())) <= 88


def test_its_figures_are_one_object_and_its_model_one_of_the_video_task(learnt: Path) -> None:
    result = json.loads((learnt / "printed.json").read_text())
    assert result["finished"]
    figures = result["watching"]
    assert figures["equal_labels"] == figures["film_frames"] == 48
    assert figures["whole_clip_difference"] <= 1e-5  # the law's, step against chunk
    assert 0 <= figures["frame_accuracy"] <= 1
    assert figures["chance"] == pytest.approx(0.2)
    model = VideoModel.load(learnt / "d/watching")
    assert model.class_names == ("left", "right", "up", "down", "still")
    assert model.streams


def test_the_report_shows_film_timeline_filters_and_the_motion_diagnosis(learnt: Path) -> None:
    page = (learnt / "d/watching/report.html").read_text()
    assert page.count("data:image/gif;base64,") == 2
    assert page.count("data:image/png;base64,") == 1
    for words in ("reversed", "frozen", "single frame", "Does it use motion?", "rgb(90,90,90)"):
        assert words in page
    assert not re.search(r'(src|href)="(?!data:)', page), "nothing is fetched"


def test_stopped_while_it_labels_it_keeps_the_model(monkeypatch, capsys) -> None:
    def stopped(*_, **__) -> None:
        raise Stopped

    monkeypatch.setattr(demo_watching, "_watch", stopped)
    assert main(WATCHING) == 130
    assert "Watching: stopped after" in capsys.readouterr().out
    assert Path("d/watching/model.safetensors").exists()
    assert "A film that it never saw" not in Path("d/watching/report.html").read_text()


RUN = """
import sys
from unrolled.cli import main
from unrolled.reports import curves
from unrolled.tasks import watcher
watcher.FILM_SECONDS, watcher._VALIDATION_FRAMES = 2, 20
curves.find_spec = lambda _: None
sys.exit(main(["demo", "--only", "watching", "--minutes", "0.005", "--out", "d"]))
"""


def test_in_a_terminal_the_film_plays_with_its_labels() -> None:
    code, written = in_terminal(RUN)
    assert code == 0
    assert "▀".encode() in written
    text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", written).decode()
    assert "computed in" in text
    assert "in 24 of 24 frames" in text


def test_an_unknown_part_is_refused(capsys) -> None:
    assert main(["demo", "--only", "smelling"]) == 2
    assert "language" in capsys.readouterr().err
