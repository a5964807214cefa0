"""Python's door: modules that no name stands for, and text in memory."""

import os
import signal
from pathlib import Path

import pytest
import torch

import unrolled
from unrolled.cells import GRU
from unrolled.cli import main
from unrolled.errors import ConfigError, ReaderError
from unrolled.layers import Dropout, Embedding, Linear, Serial
from unrolled.readers.text import TextParts
from unrolled.tasks.language.options import LanguageOptions
from unrolled.training import run_folder
from unrolled.training.options import TrainingOptions

pytestmark = pytest.mark.usefixtures("short_reports")  # test_language_report.py has whole ones
LINE = "the cat sat on the mat.\n"
TEXTS = [LINE * 20, LINE * 20]
TRAINING = TrainingOptions(max_steps=20, window=11)
SIZE = len(set(LINE))


def network(size: int = SIZE, hidden_size: int = 7) -> Serial:
    cell = GRU(5, hidden_size)
    return Serial(Embedding(size, 5), Dropout(0.2), cell, Linear(hidden_size, size))


def test_a_module_is_trained_saved_and_read_back(tmp_path: Path) -> None:
    module = network()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    trained = unrolled.train(
        "language", data=TEXTS, model=module, out=tmp_path / "run", training=TRAINING
    )
    assert trained.network is module
    assert any(not torch.equal(v, before[k]) for k, v in module.state_dict().items())
    fresh = network()
    loaded = unrolled.load(tmp_path / "run", model=fresh)
    assert loaded.network is fresh
    assert not fresh.training
    x = torch.randint(SIZE, (2, 9))
    assert torch.equal(fresh(x)[0], module(x)[0])
    assert "Serial, a module given from Python" in (tmp_path / "run/model/README.md").read_text()


def test_without_the_module_it_says_what_is_needed(tmp_path: Path, capsys) -> None:
    run = tmp_path / "run"
    unrolled.train("language", data=TEXTS, model=network(), out=run, training=TRAINING)
    with pytest.raises(ConfigError, match=r"the Serial .*unrolled\.load\(FOLDER, model=MODULE\)"):
        unrolled.load(run)
    with pytest.raises(ConfigError, match=r"the Serial .*unrolled\.resume\(.*, model=MODULE\)"):
        unrolled.resume(run)
    with pytest.raises(ConfigError, match=r"the text .*unrolled\.resume\(.*, data=TEXT\)"):
        unrolled.resume(run, model=network())
    with pytest.raises(ReaderError, match="as it was when the run began, got another one"):
        unrolled.resume(run, model=network(), data=["another"])
    with pytest.raises(ReaderError, match="a checkpoint that fits"):
        unrolled.resume(run, model=network(hidden_size=6), data=TEXTS)
    with pytest.raises(ReaderError, match="size mismatch"):
        unrolled.load(run, model=network(hidden_size=6))
    for command in (["train", "--resume"], ["evaluate"], ["generate"]):
        assert main([*command, str(run)]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_stopped_run_of_a_module_goes_on_bit_by_bit(tmp_path: Path, monkeypatch) -> None:
    module = network()
    start = {name: value.clone() for name, value in module.state_dict().items()}
    unrolled.train(
        "language", data=TEXTS, model=module, out=tmp_path / "straight", training=TRAINING
    )
    log = run_folder.RunFolder.log

    def interrupt(self, line) -> None:
        log(self, line)
        if line["step"] == 7:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(run_folder.RunFolder, "log", interrupt)
    again = network()
    again.load_state_dict(start)
    unrolled.train("language", data=TEXTS, model=again, out=tmp_path / "stopped", training=TRAINING)
    monkeypatch.setattr(run_folder.RunFolder, "log", log)
    unrolled.resume(tmp_path / "stopped", model=network(), data=TEXTS)
    for name in ("metrics.jsonl", "model/model.safetensors"):
        stopped, straight = (tmp_path / run / name for run in ("stopped", "straight"))
        assert stopped.read_bytes() == straight.read_bytes()


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (network(SIZE + 1), rf"logits \[B, T, {SIZE}\] .*, got \[B, T, {SIZE + 1}\] from Serial"),
        (network(SIZE - 1), rf"index out of range .*; build it for {SIZE}"),
        (Serial(Embedding(SIZE, 5), GRU(5, 7)), r"got \[B, T, 7\] from Serial"),
        (torch.nn.Linear(3, 3), "a module derived from Recurrence, got Linear"),
    ],
)
def test_a_module_that_does_not_fit_the_text_is_refused(tmp_path, module, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        unrolled.train("language", data=TEXTS, model=module, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_module_takes_no_options() -> None:
    with pytest.raises(ConfigError, match="got hidden_size beside a Serial"):
        unrolled.train("language", data=TEXTS, model=network(), options={"hidden_size": 3})


def test_text_in_memory_is_what_the_same_file_is(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXTS[0])
    (tmp_path / "b.txt").write_text(TEXTS[1])
    small = {"hidden_size": 7, "embedding_size": 5}
    parts = TextParts("".join(TEXTS)[:864], "".join(TEXTS)[864:912], "".join(TEXTS)[912:])
    states = []
    for number, data in enumerate((tmp_path / "?.txt", TEXTS, parts)):
        out = tmp_path / f"run{number}"
        model = unrolled.train("language", data=data, options=small, out=out, training=TRAINING)
        states.append(model.network.state_dict())
    for other in states[1:]:
        assert all(torch.equal(value, other[name]) for name, value in states[0].items())
    moved = tmp_path / "moved"
    moved.mkdir()
    (tmp_path / "a.txt").rename(moved / "a.txt")
    (tmp_path / "b.txt").rename(moved / "b.txt")
    with pytest.raises(ReaderError, match="text files at"):
        unrolled.resume(tmp_path / "run0")
    unrolled.resume(tmp_path / "run0", data=moved)


@pytest.mark.parametrize("data", [[3], 7, None], ids=repr)
def test_what_is_no_text_is_refused(data) -> None:
    with pytest.raises(ConfigError, match="a path, TextParts, or a list of texts"):
        unrolled.train("language", data=data)
    with pytest.raises(ReaderError, match="some text, got none"):
        unrolled.train("language", data=[])
    with pytest.raises(ConfigError, match="adding up to 100"):
        unrolled.train("language", data=TEXTS, reading=LanguageOptions(split="50/5"))
