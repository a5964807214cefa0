"""The verbs, as a user types them."""

import json
import os
import re
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from cyclopts import App

from tests import forked
from unrolled.cli import VERBS, main
from unrolled.training import run_folder
from unrolled.training.plain_yaml import read_yaml

TEXT = "the cat sat on the mat.\n" * 40
SMALL = ["--set", "model.hidden_size=7", "--set", "model.embedding_size=5"]
QUICK = ["--max-steps", "20", "--window", "11", *SMALL]


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
    assert "47 tokens (held-out)" in capsys.readouterr().out
    assert main(["evaluate", "runs/language-1/model", "--data", book, "--part", "all"]) == 0
    assert f"{len(TEXT) - 1} tokens (all)" in capsys.readouterr().out
    assert main(["generate", "runs/language-1", "--prompt", "the", "--length", "30"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("the")
    assert len(out) == 3 + 30 + 1


@pytest.mark.parametrize("model", ["gru", "mut1", "tcn", "transformer", "min_char_rnn", "bigram"])
def test_every_kind_of_network_trains_evaluates_and_writes(model: str, capsys) -> None:
    sizes = {
        "gru": ["hidden_size=7", "embedding_size=5"],
        "mut1": ["hidden_size=7", "embedding_size=7"],
        "tcn": ["hidden_size=7", "embedding_size=5", "num_levels=2"],
        "transformer": ["embed_dim=6", "num_heads=2", "num_layers=1", "window=5"],
        "min_char_rnn": ["hidden_size=7"],
    }
    options = [part for size in sizes.get(model, []) for part in ("--set", f"model.{size}")]
    steps = ["--max-steps", "3", "--window", "11"]
    command = ["train", "language", "--data", "book.txt", "--model", model, "--out", "run"]
    assert main([*command, *steps, *options]) == 0, capsys.readouterr().err
    assert main(["evaluate", "run"]) == 0
    capsys.readouterr()
    assert main(["generate", "run", "--length", "9", "--seed", "1", "--top-k", "3"]) == 0
    assert len(capsys.readouterr().out) == 9 + 1
    assert Path("run", "model", "README.md").read_text().count(model) >= 1


def test_the_decks_first_example_from_the_shell(capsys) -> None:
    Path("hello.txt").write_text("hello")
    sizes = ["--set", "model.hidden_size=3", "--set", "model.embedding_size=4"]
    steps = ["--epochs", "300", "--learning-rate", "0.05", "--out", "run"]
    assert main(["train", "language", "--data", "hello.txt", *sizes, *steps]) == 0
    notices = capsys.readouterr().err
    assert "too short to hold a part out" in notices
    assert "the window, which becomes 4" in notices
    for search in (["--greedy"], ["--beam", "3"]):
        assert main(["generate", "run", "--prompt", "h", "--length", "4", *search]) == 0
        assert capsys.readouterr().out == "hello\n"


def test_predict_shows_every_token_and_what_comes_next(capsys) -> None:
    train("--out", "run")
    capsys.readouterr()
    assert main(["predict", "run", "the cat", "--count", "3", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert [e["token"] for e in figures["text"]] == list("he cat")
    total = sum(e["log_probability"] for e in figures["text"])
    assert abs(figures["log_probability"] - total) < 1e-9
    following = [e["log_probability"] for e in figures["following"]]
    assert len(following) == 3
    assert following == sorted(following, reverse=True)
    assert main(["predict", "run", "the cat"]) == 0
    assert "what comes next:" in capsys.readouterr().out
    assert main(["predict", "run", ""]) == 2


def test_json_is_one_object_and_nothing_else(book: str, capsys) -> None:
    commands = [
        ["train", "language", "--data", book, *QUICK, "--out", "run", "--json"],
        ["evaluate", "run", "--json"],
        ["generate", "run", "--length", "5", "--seed", "1", "--json"],
    ]
    found = {}
    for command in commands:
        assert main(command) == 0
        found |= json.loads(capsys.readouterr().out)
    assert found["part"] == "held-out"
    assert len(found["text"]) == 5


def test_a_run_is_kept_and_never_overwritten(book: str, capsys) -> None:
    assert train("--out", "run") == 0
    assert train("--out", "run") == 2
    assert "a new folder for --out, not run" in capsys.readouterr().err
    assert train() == 0
    assert train() == 0
    assert sorted(path.name for path in Path("runs").iterdir()) == ["language-1", "language-2"]
    request = read_yaml(Path("run/config.yaml")).plain()
    assert request["data"] == book
    assert request["training"]["max_steps"] == 20
    log = [json.loads(line) for line in Path("run/metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log if "loss" in line] == [*range(1, 21)]
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
        (["train", "language", "--data", "book.txt", "--model", "lsmt"], "did you mean lstm?"),
        (["train", "language", "--data", "book.txt", "--set", "model.dept=3"], "got 'dept'"),
        (["train", "language", "--data", "book.txt", "--set", "depth"], "--set model.KEY=VALUE"),
        (["train", "language", "--data", "book.txt", "--import", "no.py"], "Python file at no.py"),
        (["train", "--resume", "nowhere"], "the folder of a run at nowhere, got nothing there"),
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
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert captured.out == ""
    assert not Path("runs").exists(), "nothing is left behind"


def test_a_full_disk_is_one_line(monkeypatch, capsys) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device", "run/resume.json")

    monkeypatch.setattr(os, "fsync", full)
    assert train("--out", "run") == 2
    assert capsys.readouterr().err == "unrolled: No space left on device: run/resume.json\n"


def test_an_unknown_prompt_character_is_named(capsys) -> None:
    train("--out", "run")
    assert main(["generate", "run", "--prompt", "the dog?"]) == 2
    assert "in the prompt, got 'd' at position 4" in capsys.readouterr().err


def test_evaluate_of_a_bare_model_folder_asks_for_data(capsys) -> None:
    train("--out", "run")
    assert main(["evaluate", "run/model"]) == 2
    assert "--data" in capsys.readouterr().err


def test_the_list_of_verbs_says_what_each_says_of_itself() -> None:
    for verb, purpose in VERBS.items():
        module = import_module(f"unrolled.cli.{'list_names' if verb == 'list' else verb}")
        command = getattr(module, "list_names" if verb == "list" else verb)
        own = command.help if isinstance(command, App) else command.__doc__
        assert " ".join(own.split("\n\n")[0].split()) == purpose


@pytest.mark.parametrize("verb", [*VERBS, "train language", "train video", "data check"])
def test_help_of_every_verb_has_an_example_and_needs_no_torch(verb: str) -> None:
    code = (
        f"import sys; from unrolled.cli import main; main({[*verb.split(), '--help']}); "
        "sys.exit('torch' in sys.modules)"
    )
    done = forked.run("-c", code, light=True)
    assert done.returncode == 0, verb
    assert f"Example: unrolled {verb}" in done.stdout


def test_help_lists_every_verb_with_what_it_is_for(capsys) -> None:
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for verb in VERBS:
        assert [line for line in lines if re.match(rf"│ {verb} +[A-Z]\w+", line)], verb


def test_a_verb_imports_no_other() -> None:
    code = "import sys; from unrolled.cli import main; main(['info', '--help']); "
    code += "sys.exit('unrolled.cli.train' in sys.modules)"
    assert forked.run("-c", code, light=True).returncode == 0


def test_python_dash_m_is_the_same() -> None:
    command = [sys.executable, "-m", "unrolled", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0.1.0"


def test_a_stopped_run_goes_on_to_the_same_end(monkeypatch, capsys) -> None:
    assert train("--out", "straight") == 0
    log = run_folder.RunFolder.log

    def interrupt(self, line) -> None:
        log(self, line)
        if line["step"] == 7:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(run_folder.RunFolder, "log", interrupt)
    assert train("--out", "stopped") == 130
    assert "go on with:  unrolled train --resume stopped" in capsys.readouterr().out
    assert main(["evaluate", "stopped"]) == 0, "what there is can be used"
    monkeypatch.setattr(run_folder.RunFolder, "log", log)
    assert main(["train", "--resume", "stopped"]) == 0
    for name in ("metrics.jsonl", "model/model.safetensors"):
        assert Path("stopped", name).read_bytes() == Path("straight", name).read_bytes()


def test_a_run_whose_text_has_changed_does_not_go_on(capsys) -> None:
    train("--out", "run")
    Path("book.txt").write_text(TEXT + "more\n")
    assert main(["train", "--resume", "run"]) == 2
    assert "as it was when the run began" in capsys.readouterr().err


def test_a_cell_of_ones_own_trains_from_the_command_line() -> None:
    Path("mine.py").write_text(
        "import torch, unrolled\n"
        "class Mine(unrolled.Recurrence):\n"
        "    def __init__(self, input_size, hidden_size):\n"
        "        super().__init__()\n"
        "        self.map = torch.nn.Linear(input_size + hidden_size, hidden_size)\n"
        "    def initial_state(self, batch_size):\n"
        "        return self.zeros(batch_size, self.map.out_features)\n"
        "    def step(self, x_t, h):\n"
        "        h = torch.tanh(self.map(torch.cat([x_t, h], 1)))\n"
        "        return h, h\n"
        "unrolled.register('mine', Mine)\n"
    )
    assert train("--model", "mine", "--import", "mine.py", "--out", "run") == 0
    evaluate = ["-m", "unrolled", "evaluate", "run"]
    done = forked.run(*evaluate)
    assert done.returncode == 2
    assert "name its file by --import, or call unrolled.register('mine', Your" in done.stderr
    done = forked.run(*evaluate, "--import", "mine.py")
    assert done.returncode == 0
    assert json.loads(Path("run/resume.json").read_text())["import"] == ["mine.py"]
    assert "mine.py" not in Path("run/config.yaml").read_text()
