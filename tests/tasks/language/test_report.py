"""The report of a run, as the command line leaves it."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.reports.pages import Page
from unrolled.cli import main
from unrolled.readers.text import TextParts
from unrolled.tasks.language.model import prepare
from unrolled.tasks.language.report import write_report
from unrolled.training import run_folder
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import RunFolder

CODE = "int f(int a[2]) { return g(a[0]); }\n" * 40
HOSTILE = "<script>alert('x')</script> & </pre></span> \"q\"\n" * 40
SMALL = ["--set", "model.hidden_size=7", "--set", "model.embedding_size=5", "--window", "11"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("unrolled.tasks.language.view._WRITTEN", {"char": 60, "word": 20})


def train(text: str, *options: str, steps: int = 20) -> int:
    Path("book.txt").write_text(text)
    short = ["--max-steps", str(steps), "--out", "run"]
    return main(["train", "language", "--data", "book.txt", *SMALL, *short, *options])


def test_a_run_ends_with_a_page_that_stands_alone(capsys) -> None:
    assert train(CODE) == 0
    assert "how it went, to look at:  run/report.html" in capsys.readouterr().out
    page = Page(Path("run/report.html"))
    assert page.tags.count("svg") == 5
    assert page.tags.count("h1") == 1
    assert page.fetched == []
    assert "http" not in page.source
    assert "url(" not in page.source.replace("url(#", ""), "clips are parts of the page"
    assert "@import" not in page.source
    log = [json.loads(line) for line in Path("run/metrics.jsonl").read_text().splitlines()]
    samples = {line["step"]: line["sample"] for line in log if "sample" in line}
    assert list(samples) == [1, 20]
    for sample in samples.values():
        assert sample in page.text
    best = min(line["validation"] for line in log if "validation" in line)
    assert f"{best:.4f}" in page.text
    assert "Does it close what it opens?" in page.text
    assert "unrolled train language --data book.txt" in page.text
    assert "--max-steps 20 --window 11" in page.text


def test_a_text_full_of_tags_is_only_text() -> None:
    assert train(HOSTILE) == 0
    page = Page(Path("run/report.html"))
    assert "script" not in page.tags
    assert page.tags.count("pre") == 2
    assert HOSTILE[:60] in page.text
    assert "Does it close what it opens?" in page.text, "it has brackets: ('x')"


def test_a_prose_text_is_not_asked_for_brackets() -> None:
    assert train("the cat sat on the mat.\n" * 40) == 0
    assert "Does it close" not in Page(Path("run/report.html")).text


def test_a_stopped_run_has_one_and_a_resumed_one_has_all_samples(monkeypatch, capsys) -> None:
    log = run_folder.RunFolder.log

    def interrupt(self, line) -> None:
        log(self, line)
        if line["step"] == 3:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(run_folder.RunFolder, "log", interrupt)
    assert train(CODE, steps=60) == 130
    page = Page(Path("run/report.html"))
    assert "Stopped after" in page.text
    assert "stopped before the first validation" in page.text
    assert "step 1" in page.text
    monkeypatch.setattr(run_folder.RunFolder, "log", log)
    assert main(["train", "--resume", "run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["report"] == "run/report.html"
    page = Page(Path("run/report.html"))
    assert "Learnt in" in page.text
    for step in ("step 1", "step 50", "step 60"):
        assert step in page.text


def test_without_matplotlib_the_page_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr("unrolled.reports.curves.find_spec", lambda _: None)
    assert train(CODE) == 0
    page = Page(Path("run/report.html"))
    assert "svg" not in page.tags
    assert "pip install 'unrolled[figures]'" in page.text
    assert page.tags.count("table") >= 3


@pytest.mark.parametrize("model", ["bigram", "transformer", "tcn"])
def test_other_networks_have_one_too(model: str) -> None:
    sizes = {
        "transformer": ["embed_dim=6", "num_heads=2", "num_layers=1", "window=5"],
        "tcn": ["hidden_size=7", "embedding_size=5", "num_levels=2"],
    }
    options = [part for size in sizes.get(model, []) for part in ("--set", f"model.{size}")]
    Path("book.txt").write_text(CODE)
    command = ["train", "language", "--data", "book.txt", "--model", model, "--out", "run"]
    assert main([*command, "--max-steps", "3", "--window", "11", *options]) == 0
    text = Page(Path("run/report.html")).text
    assert ("How far back it learns" in text) == (model != "bigram")


def test_words_and_a_text_too_short_to_hold_out() -> None:
    assert train("one two three\n", "--level", "word") == 0
    text = Page(Path("run/report.html")).text
    assert "nats per word" in text
    assert "too short to hold a part out" in text
    assert "did not learn from" not in text


def test_a_known_floor_is_shown(tmp_path: Path) -> None:
    request = {"data": "story.txt", "model": "lstm", "options": {}, "reading": {}, "training": {}}
    folder = RunFolder.new(tmp_path / "run", "language", request, keep=1)
    options = TrainingOptions(max_steps=3, window=11)
    text = TextParts(CODE, CODE[:200])
    learning = prepare(text, options={"hidden_size": 7}, training=options, folder=folder)
    learning.training.run()
    page = Page(write_report(learning, folder, floor=0.1234))
    assert "0.1234" in page.text
    assert "no reader can do better" in page.text
    assert "of what can be learnt" in page.text
    assert "unrolled train language --data story.txt" in page.text
