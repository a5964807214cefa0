"""The verbs, as a user types them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from unrolled.cli import main

TEXT = "the cat sat on the mat.\n" * 40
QUICK = ["--max-steps", "20", "--hidden-size", "7", "--embedding-size", "5", "--window", "11"]


@pytest.fixture(autouse=True)
def book(tmp_path: Path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text(TEXT)
    return "book.txt"


def train(*options: str) -> int:
    return main(["train", "language", "--data", "book.txt", *QUICK, *options])


def test_train_evaluate_generate(book: str, capsys) -> None:
    assert train() == 0
    assert "runs/language-1" in capsys.readouterr().out
    assert main(["evaluate", "runs/language-1"]) == 0
    assert "95 characters (held-out)" in capsys.readouterr().out
    assert main(["evaluate", "runs/language-1/model", "--data", book, "--part", "all"]) == 0
    assert f"{len(TEXT) - 1} characters (all)" in capsys.readouterr().out
    assert main(["generate", "runs/language-1", "--prompt", "the", "--length", "30"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("the")
    assert len(out) == 3 + 30 + 1


def test_json_is_one_object_and_nothing_else(book: str, capsys) -> None:
    commands = [
        ["train", "language", "--data", book, *QUICK, "--out", "run", "--json"],
        ["evaluate", "run", "--json"],
        ["generate", "run", "--length", "5", "--seed", "1", "--json"],
        ["demo", "--minutes", "0.01", "--out", "d", "--json"],
    ]
    found = {}
    for command in commands:
        assert main(command) == 0
        found |= json.loads(capsys.readouterr().out)
    assert found["part"] == "held-out"
    assert len(found["text"]) == 5
    assert 0 <= found["possible"] <= found["grammatical"] <= found["sentences"]


def test_a_run_is_kept_and_never_overwritten(book: str, capsys) -> None:
    assert train("--out", "run") == 0
    assert train("--out", "run") == 2
    assert "a new folder for --out, not run" in capsys.readouterr().err
    assert train() == 0
    assert train() == 0
    assert sorted(path.name for path in Path("runs").iterdir()) == ["language-1", "language-2"]
    request = json.loads(Path("run/run.json").read_text())
    assert request["data"] == book
    assert request["training"]["max_steps"] == 20
    log = [json.loads(line) for line in Path("run/metrics.jsonl").read_text().splitlines()]
    assert log[-1]["step"] == 20
    assert log[-1]["validation"] > 0


def test_the_same_seed_writes_the_same_text(capsys) -> None:
    train("--out", "run")
    capsys.readouterr()
    texts = []
    for _ in range(2):
        main(["generate", "run", "--seed", "3", "--length", "40"])
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "language", "--data", "none.txt"], "a text file at none.txt, got nothing there"),
        (["train", "language", "--data", "empty.txt"], "text in empty.txt, got an empty file"),
        (["train", "language", "--data", "latin.txt"], "byte 0xe9 at offset 3"),
        (["train", "language", "--data", "short.txt"], "at least 20 characters, got 5"),
        (["train", "language", "--data", "book.txt", "--cell", "lsmt"], "did you mean lstm?"),
        (["train", "language", "--data", "book.txt", "--windw", "3"], "--windw"),
        (["train", "language", "--data", "book.txt", "--window", "0"], "window above 0, got 0"),
        (["train", "language"], "--data"),
        (["evaluate", "nowhere"], "a model folder at nowhere, got nothing there"),
        (["generate", "nowhere"], "a model folder at nowhere"),
        (["nonsense"], "nonsense"),
    ],
    ids=lambda value: " ".join(value[-3:]) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(
    capsys, arguments: list[str], words: str
) -> None:
    Path("empty.txt").touch()
    Path("latin.txt").write_bytes(b"caf\xe9")
    Path("short.txt").write_text("hello")
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert captured.out == ""
    assert not Path("runs").exists(), "nothing is left behind"


def test_an_unknown_prompt_character_is_named(capsys) -> None:
    train("--out", "run")
    assert main(["generate", "run", "--prompt", "the dog?"]) == 2
    assert "in the prompt, got 'd' at position 4" in capsys.readouterr().err


def test_evaluate_of_a_bare_model_folder_asks_for_data(capsys) -> None:
    train("--out", "run")
    assert main(["evaluate", "run/model"]) == 2
    assert "--data" in capsys.readouterr().err


def test_help_of_every_verb_has_an_example_and_needs_no_torch() -> None:
    verbs = [["demo"], ["train", "language"], ["evaluate"], ["generate"], []]
    for verb in verbs:
        code = (
            f"import sys; from unrolled.cli import main; main({[*verb, '--help']}); "
            "sys.exit('torch' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, verb
        assert not verb or f"Example: unrolled {' '.join(verb)}" in done.stdout


def test_python_dash_m_is_the_same() -> None:
    command = [sys.executable, "-m", "unrolled", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0.1.0"


def test_ctrl_c_keeps_the_model(monkeypatch, capsys) -> None:
    from unrolled.training import run_folder

    def interrupt(*_) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_folder.RunFolder, "log", interrupt)
    assert train("--out", "run") == 130
    assert "stopped after" in capsys.readouterr().out
    assert main(["evaluate", "run"]) == 0
