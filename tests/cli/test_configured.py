"""``--config``: a run repeated from its file, recipes, and what the help page says of options."""

import json
import re
from pathlib import Path

import pytest

from tests import forked
from unrolled.cli import main
from unrolled.tasks.language.network_options import NETWORK_OPTIONS
from unrolled.tasks.language.networks import network_options
from unrolled.tasks.recipes import recipes
from unrolled.training.plain_yaml import read_yaml

SMALL = ["--set", "model.hidden_size=7", "--set", "model.embedding_size=5"]
QUICK = ["--max-steps", "20", "--window", "11", "--seed", "3", "--set", "model.dropout=0.2", *SMALL]


@pytest.fixture(autouse=True)
def book(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("book.txt").write_text("the cat sat on the mat.\n" * 40)


def train(*options: str) -> int:
    return main(["train", "language", *options])


def of(run: str) -> dict:
    return read_yaml(Path(run, "config.yaml")).plain()


def test_the_configuration_of_a_run_repeats_it_bit_by_bit() -> None:
    assert train("--data", "book.txt", *QUICK, "--out", "first") == 0
    assert train("--config", "first/config.yaml", "--out", "second") == 0
    assert of("second") == of("first")
    for name in ("metrics.jsonl", "model/model.safetensors", "resume.json"):
        assert Path("second", name).read_bytes() == Path("first", name).read_bytes()


def test_a_run_says_every_option_with_words_on_it() -> None:
    assert train("--data", "book.txt", *QUICK, "--out", "run") == 0
    options = of("run")["options"]
    assert options == {
        **NETWORK_OPTIONS["lstm"],
        "hidden_size": 7,
        "embedding_size": 5,
        "dropout": 0.2,
    }
    assert of("run")["training"]["clip_norm"] == 1.0
    text = Path("run/config.yaml").read_text()
    assert re.search(r"^  window: 11 +# steps from one update to the next \(k1\)$", text, re.M)
    assert "unrolled train language --config run/config.yaml" in text


def test_a_flag_overrides_the_file_and_the_file_overrides_the_default() -> None:
    Path("part.yaml").write_text(
        "data: book.txt\noptions: {hidden_size: 7, embedding_size: 5}\n"
        "training:\n  window: 11\n  max_steps: 4\n  carry_state: false\n  learning_rate: 1e-2\n"
    )
    flags = ["--max-steps", "2", "--carry-state", "--set", "model.hidden_size=3", "--out", "run"]
    assert train("--config", "part.yaml", *flags) == 0
    found = of("run")
    assert found["options"]["hidden_size"] == 3
    assert found["options"]["embedding_size"] == 5
    training = found["training"]
    assert (training["max_steps"], training["window"], training["carry_state"]) == (2, 11, True)
    assert (training["learning_rate"], training["batch_size"]) == (0.01, 8)


def test_resume_goes_on_with_what_the_file_says(capsys) -> None:
    assert train("--data", "book.txt", *QUICK, "--out", "run") == 0
    before = Path("run/model/model.safetensors").read_bytes()
    assert main(["train", "--resume", "run"]) == 0, capsys.readouterr().err
    assert Path("run/model/model.safetensors").read_bytes() == before
    text = Path("run/config.yaml").read_text()
    Path("run/config.yaml").write_text(text.replace("hidden_size: 7", "hidden_size: 6"))
    capsys.readouterr()
    assert main(["train", "--resume", "run"]) == 2
    assert "a checkpoint that fits the configuration in run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("modle: lstm", "bad.yaml:1, got 'modle'; did you mean model?"),
        ("training:\n  window: many", "bad.yaml:2 to be a whole number, got 'many'"),
        ("training:\n  window: 0", "window above 0 in bad.yaml, got 0"),
        ("import: evil.py", "--import mine.py"),
        ("model: lsmt", "did you mean lstm?"),
        ("options:\n  hidden_sise: 3", "got 'hidden_sise'; did you mean hidden_size?"),
        ("options:\n  hidden_size: many", "hidden_size of lstm to be a whole number, got 'many'"),
        ("model: null", "the name of a model in bad.yaml, got a module given from Python"),
        ("data: $NO_SUCH_VARIABLE/x", "the environment variable NO_SUCH_VARIABLE"),
        ("task: demo", "task at bad.yaml:1 to be language, got 'demo'"),
        ("{", "YAML at bad.yaml:1"),
        ("", "--data requires an argument"),
    ],
)
def test_a_bad_file_is_one_line_and_exit_code_2(capsys, text: str, words: str) -> None:
    Path("evil.py").write_text("raise SystemExit('ran')")
    Path("bad.yaml").write_text(text)
    data = [] if not text or text.startswith("data") else ["--data", "book.txt"]
    assert train("--config", "bad.yaml", *data) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert captured.out == ""
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tinyshakespeare_3_minute", "did you mean tinyshakespeare_3_minutes?"),
        ("zzz", "`unrolled list` names the recipes"),
        (".", "got the folder .; try ./config.yaml"),
    ],
)
def test_what_is_neither_a_file_nor_a_recipe_is_named(capsys, name: str, words: str) -> None:
    assert train("--config", name) == 2
    assert words in capsys.readouterr().err


def test_a_recipe_goes_by_its_name(monkeypatch, capsys) -> None:
    monkeypatch.setenv("UNROLLED_DATA", ".")
    Path("lm_text/ptb").mkdir(parents=True)
    for part in ("train", "valid", "test"):
        Path("lm_text/ptb", f"ptb.{part}.txt").write_text(" the <unk> sat \n" * 200)
    assert train("--config", "ptb_small", "--max-steps", "2", "--out", "run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["unit"] == "word"
    found = of("run")
    assert found["data"] == "$UNROLLED_DATA/lm_text/ptb", "the file moves to another machine"
    assert found["options"]["num_layers"] == 2
    assert main(["evaluate", "run"]) == 0
    assert "(held-out)" in capsys.readouterr().out


def test_list_names_the_recipes(capsys) -> None:
    assert main(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recipes"] == recipes()


@pytest.mark.parametrize("name", NETWORK_OPTIONS)
def test_the_help_page_tells_the_options_that_a_network_has(name: str) -> None:
    assert NETWORK_OPTIONS[name] == network_options(name)


def test_the_help_page_shows_them_without_torch() -> None:
    code = (
        "import sys; from unrolled.cli import main; main(['train', 'language', '--help']); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'yaml', 'rich.markdown')))"
    )
    done = forked.run("-c", code, light=True)
    assert done.returncode == 0
    for options in NETWORK_OPTIONS.values():
        for key, value in options.items():
            assert f"{key} = {json.dumps(value)}\n" in done.stdout
    assert "the token <eos>" in done.stdout, "no markup swallows it"
    assert not re.search(r"\b(may|folder) +│\n│ +│", done.stdout)
