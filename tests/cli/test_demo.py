"""The demo as a newcomer meets it: in a pipe, in a terminal, and stopped at any moment."""

import json
import os
import re
import select
import signal
import termios
import time
from pathlib import Path

import pytest

from tests.forked import Forked
from unrolled.cli import demo_language, main
from unrolled.kernels.library import is_there
from unrolled.tasks import narrator
from unrolled.tasks.language.run import reopen
from unrolled.training import run_folder


@pytest.fixture(autouse=True)
def _small_and_elsewhere(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo_language, "SENTENCES", 300)


LANGUAGE = ("--only", "language")


def stop_at_step(number: int, monkeypatch) -> None:
    log = run_folder.RunFolder.log

    def interrupt(self, line) -> None:
        log(self, line)
        if line["step"] == number:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(run_folder.RunFolder, "log", interrupt)


def test_in_a_pipe_it_is_plain_text_from_the_header_to_the_commands(capsys) -> None:
    assert main(["demo", "--only", "language", "--minutes", "0.02"]) == 0
    captured = capsys.readouterr()
    way = "native" if is_there() else "python"
    places = [
        captured.out.index(words)
        for words in (
            f"{way} path.\nIt writes to runs/demo-1",
            "On the stage: a green triangle",
            "0.0 s  the green triangle passes behind the yellow triangle.",
            "step     0",
            "of what can be learnt",
            "Of 50 sentences",
            "The models are in runs/demo-1.",
            "runs/demo-1/language/report.html",
            "unrolled train language --data YOUR.txt",
        )
    ]
    assert places == sorted(places)
    assert "▀" not in captured.out
    assert "\x1b" not in captured.out
    assert captured.err == ""
    assert max(map(len, captured.out.splitlines())) <= 80


def test_its_run_is_one_of_the_language_task(capsys) -> None:
    assert main(["demo", *LANGUAGE, "--minutes", "0.005", "--out", "d", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    figures = result["language"]
    assert result["finished"]
    assert figures["finished"]
    assert figures["steps"] > 0
    assert figures["sentences"] >= figures["grammatical"] >= figures["possible"]
    assert main(["evaluate", "d/language", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["part"] == "held-out"


def test_stopped_while_it_learns_it_keeps_the_model_and_goes_on(monkeypatch, capsys) -> None:
    with monkeypatch.context() as patched:
        stop_at_step(1, patched)
        assert main(["demo", *LANGUAGE, "--minutes", "1", "--out", "d"]) == 130
    out = capsys.readouterr().out
    assert "stopped after 1 steps" in out
    assert "too early to measure" in out
    assert "unrolled train --resume d/language" in out
    assert Path("d/language/report.html").exists(), "of what is finished"
    assert main(["generate", "d/language", "--length", "3"]) == 0, "what there is can be used"
    reopened, _ = reopen(Path("d/language"), lambda *_: None)
    assert reopened.counters.step == 1


def test_stopped_it_still_prints_one_json_object(monkeypatch, capsys) -> None:
    stop_at_step(2, monkeypatch)
    assert main(["demo", "--minutes", "0.1", "--out", "d", "--json"]) == 130
    result = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert "watching" not in result, "a stop ends all of it"
    figures = result["language"]
    assert (figures["finished"], figures["steps"]) == (False, 2)
    assert figures["nats_per_character"] is None


def test_stopped_while_it_is_judged_it_keeps_what_was_learnt(monkeypatch, capsys) -> None:
    def interrupted(model, *, seed, poll) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        narrator.judged(model, seed=seed, poll=poll)

    monkeypatch.setattr(demo_language, "judged", interrupted)
    assert main(["demo", *LANGUAGE, "--minutes", "0.005", "--out", "d"]) == 130
    out = capsys.readouterr().out
    assert "of what can be learnt" in out
    assert "grammatical" not in out
    assert Path("d/language/model/model.safetensors").exists()


def test_bad_wishes_are_refused_before_anything_is_shown(capsys) -> None:
    Path("used").mkdir()
    Path("used/file").touch()
    for options, words in ((["--minutes", "0"], "above 0"), (["--out", "used"], "not used")):
        assert main(["demo", *options]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert words in captured.err


def in_terminal(
    code: str, *, stop_at: bytes | None = None, **environment: str
) -> tuple[int, bytes]:
    """Run Python code on a terminal of 80 by 24; return its exit code, and all that it wrote."""
    terminal, inside = os.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    settings = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment}
    child = Forked(["-c", code], inside, inside, inside, environment=settings, is_terminal=True)
    os.close(inside)
    written, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline and select.select([terminal], [], [], 60)[0]:
        try:
            written += os.read(terminal, 65536)
        except OSError:  # it has ended
            break
        if stop_at is not None and stop_at in written:
            child.send_signal(signal.SIGINT)
            stop_at = None
    os.close(terminal)
    return child.wait(), written


RUN = """
import sys
from unrolled.cli import demo_film, demo_language, main
from unrolled.reports import curves
curves.find_spec = lambda _: None
demo_language.SENTENCES, demo_film.FRAME_RATE_HZ = 300, 500
sys.exit(main(["demo", "--only", "language", "--minutes", "0.02", "--out", "d"]))
"""


def test_in_a_terminal_the_film_is_in_colours_and_the_bar_stays_out_of_the_text() -> None:
    code, written = in_terminal(RUN)
    assert code == 0
    assert b"\x1b[38;2;" in written
    assert "▀▀".encode() in written
    text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", written).decode()
    lines = [line.split("\r")[-1] for line in text.replace("\r\n", "\n").split("\n")]
    for words in ("  step     0  ", "  Of 50 sentences", "  unrolled generate runs/mine"):
        assert any(line.startswith(words) for line in lines), words


def test_in_a_terminal_without_colours_it_is_told_in_words() -> None:
    code, written = in_terminal(RUN, NO_COLOR="1", stop_at=b"s  a yellow circle enters from")
    assert code == 130
    assert "▀".encode() not in written
    assert b"Traceback" not in written


def test_stopped_while_the_film_plays_it_ends_well() -> None:
    slow = RUN.replace("500", "12")
    code, written = in_terminal(slow, stop_at="▀".encode())
    assert code == 130
    assert b"nothing is kept" in written
    assert b"Traceback" not in written
    assert not Path("d").exists()
