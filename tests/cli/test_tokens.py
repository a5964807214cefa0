"""Byte pairs, word vectors and missing data, as a user types them."""

import json
import os
import signal
from pathlib import Path

import pytest
import torch

import unrolled
from unrolled.cli import main
from unrolled.errors import ConfigError
from unrolled.models import RecurrentLanguageModel
from unrolled.tasks.language.options import LanguageOptions
from unrolled.training import run_folder

LINE = "the naïve 猫 sat on the mat.\n"
QUICK = ["--max-steps", "20", "--window", "11", "--set", "model.hidden_size=7"]
VECTORS = "the 1 2 3\nsat 0.5 0.25 -1\nelsewhere 0 0 0\nmat. 3 3 3\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text(LINE * 60, encoding="utf-8")
    (tmp_path / "vectors.txt").write_text(VECTORS)
    return tmp_path


def train(*options: str) -> int:
    return main(["train", "language", "--data", "book.txt", "--out", "run", *QUICK, *options])


def shown(capsys, *arguments: str) -> dict:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_byte_pairs_from_training_to_writing(capsys) -> None:
    figures = shown(
        capsys,
        *["train", "language", "--data", "book.txt", "--level", "bpe", "--out", "run", *QUICK],
        *["--vocabulary-size", "270"],
    )
    assert figures["unit"] == "token"
    report = Path("run/report.html").read_text()
    assert "nats per token, this model" in report
    assert "270 tokens" in report
    model = unrolled.load("run")
    assert len(model.vocabulary) == 270
    score = shown(capsys, "evaluate", "run", "--part", "all")
    whole = LINE * 60
    tokens = model.vocabulary.encode(whole)
    first = model.vocabulary.decode(tokens[:1])
    assert score["characters"] == len(whole) - len(first)
    assert score["items"] == len(tokens) - 1
    per_token = score["nats_per_character"] * score["characters"] / score["items"]
    assert abs(per_token - score["nats_per_token"]) < 1e-9
    text = shown(capsys, "generate", "run", "--length", "60", "--seed", "1", "--temperature", "3")
    assert text["text"]
    assert main(["generate", "run", "--prompt", "🐈 never seen", "--greedy", "--length", "5"]) == 0
    assert capsys.readouterr().out.startswith("🐈 never seen")
    found = shown(capsys, "predict", "run", "the 猫🐈")
    pieces = model.vocabulary.encode("the 猫🐈")[1:]
    assert [e["token"] for e in found["text"]] == [model.vocabulary.entries[t] for t in pieces]
    assert "<0x9F>" in [e["token"] for e in found["text"]]


@pytest.mark.parametrize("level", [["bpe"], ["word", "--embeddings", "vectors.txt"]])
def test_a_stopped_run_goes_on_without_what_it_has_read(monkeypatch, capsys, level) -> None:
    assert train("--level", *level) == 0
    Path("run").rename("straight")
    log = run_folder.RunFolder.log

    def interrupt(self, line) -> None:
        log(self, line)
        if line["step"] == 7:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(run_folder.RunFolder, "log", interrupt)
    assert train("--level", *level) == 130
    monkeypatch.setattr(run_folder.RunFolder, "log", log)
    Path("vectors.txt").unlink()
    assert main(["train", "--resume", "run"]) == 0, capsys.readouterr().err
    same = Path("straight", "model")
    for path in same.iterdir():
        if path.name in ("model.safetensors", "tokenizer.json"):
            assert Path("run", "model", path.name).read_bytes() == path.read_bytes()
    assert main(["evaluate", "run"]) == 0


@pytest.mark.parametrize("freeze", [True, False])
def test_a_model_begins_with_word_vectors(capsys, freeze: bool) -> None:
    options = ["--level", "word", "--embeddings", "vectors.txt"]
    assert train(*options, *(["--freeze-embeddings"] if freeze else [])) == 0
    assert "3 of the 8 entries of the vocabulary (37.5%) have a vector" in capsys.readouterr().err
    model = unrolled.load("run")
    weight = dict(model.network.named_parameters())["0.weight"]
    assert weight.shape == (8, 3)
    assert (weight[model.vocabulary.entries.index("the")].tolist() == [1, 2, 3]) is freeze
    config = json.loads(Path("run/model/config.json").read_text())
    assert config["figures"]["words_with_vectors"] == 3
    assert config["model"]["options"]["embedding_size"] == 3
    assert main(["train", "language", "--config", "run/config.yaml", "--out", "again"]) == 0
    again = unrolled.load("again").network.state_dict()
    assert all(torch.equal(again[key], value) for key, value in model.network.state_dict().items())


def test_vectors_of_another_size_than_a_given_networks_are_refused() -> None:
    network = RecurrentLanguageModel(8, embedding_size=5, hidden_size=7)
    reading = LanguageOptions(level="word", embeddings="vectors.txt")
    with pytest.raises(ConfigError, match="word vectors of 5 numbers, got 3"):
        unrolled.train("language", data="book.txt", model=network, reading=reading)


def test_other_networks_begin_with_them_too() -> None:
    options = ["--level", "word", "--embeddings", "vectors.txt", "--max-steps", "2"]
    base = ["train", "language", "--data", "book.txt", "--window", "5", *options]
    assert main([*base, "--model", "tcn", "--set", "model.hidden_size=5"]) == 0
    assert main([*base, "--model", "transformer", "--set", "model.num_heads=3"]) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--embeddings", "vectors.txt"], "--level word with --embeddings, got level char"),
        (["--freeze-embeddings"], "--embeddings with --freeze-embeddings"),
        (["--vocabulary-size", "9"], "--level word or bpe with --vocabulary-size"),
        (["--min-count", "2"], "--level word with --min-count, got level char"),
        (["--level", "bpe", "--vocabulary-size", "255"], "a vocabulary_size of at least 256"),
        (["--level", "word", "--vocabulary-size", "1"], "a vocabulary_size of at least 2"),
        (["--level", "syllable"], "syllable"),
        (
            ["--level", "word", "--embeddings", "vectors.txt", "--set", "model.embedding_size=5"],
            "model.embedding_size=3, as the word vectors have, got 5",
        ),
        (
            ["--level", "word", "--embeddings", "vectors.txt", "--model", "bigram"],
            "a model with an embedding for --embeddings, got bigram",
        ),
        (["--level", "word", "--embeddings", "none.txt"], "word vectors at none.txt, got nothing"),
        (["--level", "word", "--embeddings", "book.txt"], "line 1 of book.txt, got 'the naïve"),
    ],
)
def test_what_does_not_go_together_is_one_line(capsys, options: list[str], words: str) -> None:
    assert train(*options) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert not Path("run").exists()


def test_a_missing_known_data_set_comes_with_the_command_that_gets_it(capsys) -> None:
    assert main(["train", "language", "--data", "data/ptb.train.txt"]) == 2
    assert "with: curl --create-dirs -o data/ptb.train.txt https://" in capsys.readouterr().err
    assert main(["evaluate", "nowhere"]) == 2


def test_a_mixed_folder_is_learnt_from_and_what_is_no_text_is_told(folder: Path, capsys) -> None:
    (folder / "many").mkdir()
    (folder / "many" / "a.h").write_text(LINE * 60)
    (folder / "many" / "b.h").write_bytes(b"\xff\xfe")
    command = ["train", "language", "--data", "many/*.h", "--out", "run", *QUICK]
    assert main(command) == 0
    assert "1 file is no text and left out: many/b.h (byte 0xff" in capsys.readouterr().err
    assert main(["evaluate", "run"]) == 0
    assert "1 of the files left out, as no text" in capsys.readouterr().err


def test_words_go_on_behind_a_blank(capsys) -> None:
    assert train("--level", "word") == 0
    capsys.readouterr()
    assert main(["generate", "run", "--prompt", "the", "--length", "3", "--seed", "1"]) == 0
    assert capsys.readouterr().out.startswith(("the ", "the\n"))


def test_a_strangers_tokenizer_is_refused_in_one_line(capsys) -> None:
    assert train("--level", "bpe") == 0
    path = Path("run/model/tokenizer.json")
    config = json.loads(path.read_text())
    config["normalizer"] = {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": ""}
    path.write_text(json.dumps(config))
    capsys.readouterr()
    assert main(["generate", "run"]) == 2
    assert capsys.readouterr().err == (
        "unrolled: expected a byte-level tokenizer in run/model/tokenizer.json, got a normalizer\n"
    )
