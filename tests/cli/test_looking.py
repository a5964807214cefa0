"""The verbs that look at things: inspect, list, info, verify."""

import json
import os
import tempfile
from pathlib import Path

import pytest

from tests import forked
from tests.forked import Forked, Pipe
from unrolled.cli import main
from unrolled.diagnostics import published
from unrolled.diagnostics.checks import Check

FEW = [Check("two and two", 4, "arithmetic", lambda: 4)]


def shown(capsys, *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def parsed(capsys, *arguments: str) -> dict:
    return json.loads(shown(capsys, *arguments, "--json"))


def test_inspect_shows_an_lstm(capsys) -> None:
    arguments = ["inspect", "lstm", "--set", "input_size=300", "--set", "hidden_size=512"]
    out = shown(capsys, *arguments, "--max-steps", "32")
    for words in ("1,667,072", "1,662,976", "4,096 bytes a stream", "no end within the 32 steps"):
        assert words in out
    assert "(chosen)" not in out
    figures = parsed(capsys, *arguments, "--max-steps", "32")
    assert figures["parameters"] == 1_667_072
    assert figures["macs_per_step"] == 4 * 512 * (300 + 512)
    assert figures["options"] == {"input_size": 300, "hidden_size": 512}


def test_inspect_says_which_sizes_it_chose(capsys) -> None:
    out = shown(capsys, "inspect", "lstm", "--set", "hidden_size=7", "--max-steps", "16")
    assert "lstm: input_size=64 (chosen), hidden_size=7 " in out


@pytest.mark.parametrize("columns", ["80", "120"])
def test_inspect_fits_the_terminal(capsys, monkeypatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    out = shown(capsys, "inspect", "show_attend_tell", "--max-steps", "16")
    assert max(map(len, out.splitlines())) <= int(columns)
    assert "12,845,056" in out, "a number is never folded"


def test_inspect_shows_a_run(capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("book.txt").write_text("the cat sat on the mat.\n" * 40)
    sizes = ["--set", "model.hidden_size=7", "--set", "model.embedding_size=5"]
    quick = ["--max-steps", "2", *sizes, "--out", "run"]
    shown(capsys, "train", "language", "--data", "book.txt", *quick)
    for folder in ("run", "run/model"):
        figures = parsed(capsys, "inspect", folder, "--max-steps", "16")
        assert [layer["kind"] for layer in figures["layers"]] == ["Embedding", "LSTM", "Linear"]
        assert figures["macs_per_step"] == 4 * 7 * (5 + 7) + 7 * 12  # eleven letters and the line
    assert main(["inspect", "run", "--set", "hidden_size=3"]) == 2
    assert "no --set for a model folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["inspect", "lsmt"], "did you mean lstm?"),
        (["inspect", "runs/nowhere"], "a model folder at runs/nowhere, got nothing there"),
        (["inspect", "lstm", "--set", "hidden_size"], "KEY=VALUE, as in hidden_size=64"),
        (["inspect", "lstm", "--set", "depth=3"], "unexpected keyword argument 'depth'"),
    ],
)
def test_what_cannot_be_inspected_is_one_line(capsys, arguments, words: str) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert captured.out == ""


def test_list_shows_what_can_be_named(capsys) -> None:
    found = parsed(capsys, "list")
    assert found["tasks"]["language"].startswith("Learn to predict the next character")
    out = shown(capsys, "list")
    for kind, members in found.items():
        assert f"{kind}" in out
        assert all(name in out for name in members)


def test_info_shows_versions(capsys) -> None:
    found = parsed(capsys, "info")
    out = shown(capsys, "info")
    for name in ("unrolled", "python", "torch", "numpy", "platform"):
        assert str(found[name]) in out.replace("\n", "")
    assert str(found["native_path"]) in out


def test_verify_says_what_comes_out(capsys, monkeypatch) -> None:
    monkeypatch.setattr(published, "PUBLISHED", FEW)
    out = shown(capsys, "verify")
    assert "two and two" in out
    assert "1 of 1 figures come out" in out
    found = parsed(capsys, "verify")
    assert found["mismatches"] == 0
    assert found["results"][0]["got"] == 4


def test_a_wrong_figure_makes_verify_fail_and_is_named(capsys, monkeypatch) -> None:
    wrong = Check("two and three", 5.00001, "a slip", lambda: 5.0)
    monkeypatch.setattr(published, "PUBLISHED", [*FEW, wrong])
    assert main(["verify"]) == 1
    out = capsys.readouterr().out
    assert "two and three: expected 5.00001, got 5\n" in out
    assert "1 of 2 figures come out" in out
    assert main(["verify", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["checks"], found["mismatches"]) == (2, 1)
    assert [result["holds"] for result in found["results"]] == [True, False]


def test_help_has_an_example_and_needs_no_torch() -> None:
    for verb in ("inspect", "list", "info", "verify"):
        code = (
            f"import sys; from unrolled.cli import main; main(['{verb}', '--help']); "
            "sys.exit('torch' in sys.modules)"
        )
        done = forked.run("-c", code, light=True)
        assert done.returncode == 0, verb
        assert f"Example: unrolled {verb}" in done.stdout


@pytest.mark.parametrize("command", [["list"], ["list", "--json"], ["list", "--help"]])
def test_a_closed_pipe_is_no_error(command: list[str]) -> None:
    with Pipe() as said, tempfile.TemporaryFile() as complaints, open(os.devnull) as nothing:
        said.reader.close()
        process = Forked(["-m", "unrolled", *command], nothing, said.writer, complaints)
        assert process.wait() == 0
        complaints.seek(0)
        assert complaints.read() == b""
