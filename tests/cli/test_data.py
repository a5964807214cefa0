"""``unrolled data check``, as a user types it."""

import json
from pathlib import Path

import pytest

from tests import forked
from unrolled.cli import main

LONG = "a line that is long enough to be found again elsewhere\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(capsys, *arguments: str, code: int = 0) -> dict:
    assert main(["data", "check", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def three_parts(folder: Path) -> str:
    home = folder / "parts"
    home.mkdir()
    (home / "a.train.txt").write_text(LONG * 2 + "the cat sat\n" * 20)
    (home / "a.valid.txt").write_text(LONG + "the dog sat\n" * 5)
    (home / "a.test.txt").write_text("the cat sat\n" * 5)
    return "parts"


def test_what_training_would_see_is_counted(folder: Path, capsys) -> None:
    figures = checked(capsys, three_parts(folder), "--level", "word", "--window", "8")
    assert figures["split"]["by"] == "names"
    train, valid, test = (figures["parts"][part] for part in ("train", "valid", "test"))
    assert (train["lines"], valid["lines"], test["lines"]) == (22, 6, 5)
    words = LONG.split()
    assert train["tokens"] == 2 * (len(words) + 1) + 20 * 4
    assert (train["unknown"], valid["unknown"], test["unknown"]) == (0, 5, 0)
    assert figures["vocabulary"]["size"] == len({*words, "the", "cat", "sat"}) + 2
    assert figures["vocabulary"]["commonest"][0] == ["<eos>", 22]
    assert figures["overlap"]["valid"] == {"long_lines": 1, "in_train": 1}
    assert figures["overlap"]["test"] == {"long_lines": 0, "in_train": 0}
    assert figures["overlap"]["same_files"] == []
    begins = figures["streams"]["first"][0]["text"]
    assert begins.startswith("a line that is long enough")


def test_word_vectors_are_looked_up_too(capsys) -> None:
    Path("book.txt").write_text("the cat sat\n" * 40)
    Path("vectors.txt").write_text("the 1 2\ncat 3 4\n")
    arguments = ["book.txt", "--level", "word", "--embeddings", "vectors.txt"]
    assert checked(capsys, *arguments)["words_with_vectors"] == 2
    assert main(["data", "check", *arguments]) == 0
    assert "note: 2 of the 5 entries of the vocabulary" in capsys.readouterr().out
    assert main(["data", "check", *arguments[:-1], "none.txt"]) == 2


@pytest.mark.parametrize("level", ["char", "bpe"])
def test_the_model_it_speaks_of_is_the_one_that_is_trained(level: str, capsys) -> None:
    Path("book.txt").write_text(LONG * 40)
    figures = checked(capsys, "book.txt", "--level", level)
    quick = ["--max-steps", "1", "--set", "model.hidden_size=3", "--level", level, "--out", "run"]
    assert main(["train", "language", "--data", "book.txt", *quick]) == 0
    config = json.loads(Path("run/model/config.json").read_text())
    assert config["parts"] == {name: p["sha256"] for name, p in figures["parts"].items()}
    assert figures["parts"]["train"]["characters"] == len(LONG * 36)


def test_all_damage_is_named_and_the_rest_is_still_read(folder: Path, capsys) -> None:
    home = folder / "many"
    home.mkdir()
    (home / "a.txt").write_text(LONG * 30)
    (home / "b.txt").write_bytes(b"caf\xe9\n")
    (home / "c.txt").write_bytes(b"x\xff\xfe\n")
    (home / "d.txt").write_bytes(b"one\r\ntwo\n\0\x01")
    (home / "e.txt").write_text(LONG * 30)
    assert main(["data", "check", "many"]) == 2
    captured = capsys.readouterr()
    assert "b.txt: 1 byte is no utf-8 text, at offset 3" in captured.err
    assert "c.txt: 2 bytes are no utf-8 text, at offsets 1, 2" in captured.err
    for note in (
        "d.txt mixes line ends: 1 \\n, 1 \\r\\n, 0 \\r",
        "d.txt has NUL characters: 1",
        "d.txt has control characters: 1",
        "1 file is a copy: many/e.txt of many/a.txt",
        "in test (100.0%) are in train too",
    ):
        assert f"{note}" in captured.out
    figures = checked(capsys, "many", code=2)
    assert len(figures["damage"]) == 2
    assert figures["parts"]["train"]["characters"] > 0
    assert main(["data", "check", "many", "--encoding", "latin-1"]) == 0


def test_a_copy_in_another_part_is_told_apart(folder: Path, capsys) -> None:
    home = Path(three_parts(folder))
    (home / "b.test.txt").write_text((home / "a.train.txt").read_text())
    (same,) = checked(capsys, str(home))["overlap"]["same_files"]
    assert same["between_parts"]
    assert main(["data", "check", str(home)]) == 0
    assert "1 file is a copy, 1 of them in another part" in capsys.readouterr().out


def test_one_damaged_file_is_all_that_there_is(capsys) -> None:
    Path("a.txt").write_bytes(b"caf\xe9\n")
    assert main(["data", "check", "a.txt"]) == 2
    captured = capsys.readouterr()
    assert "1 file, 5 bytes, of which a model cannot read any" in captured.out
    assert "nothing is damaged" not in captured.out
    assert checked(capsys, "a.txt", code=2)["bytes"] == 5


def test_many_files_of_one_kind_are_one_sentence(capsys) -> None:
    Path("a.txt").write_text(LONG * 9)
    for number in range(5):
        Path(f"empty-{number}.txt").touch()
    assert main(["data", "check", "*.txt"]) == 0
    out = capsys.readouterr().out
    assert "note: 5 files are empty, such as empty-0.txt, empty-1.txt, empty-2.txt\n" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.txt"], "a text file at none.txt, got nothing there"),
        (["enwik8"], "get enwik8 (100 MB unpacked"),
        (["book.txt", "--split", "3"], "adding up to 100"),
        (["book.txt", "--window", "0"], "batch_size and window above 0"),
        (["book.txt", "--task", "cooking"], "cooking"),
        (["book.txt", "--encoding", "utf-9"], "the name of an encoding, got 'utf-9'"),
    ],
)
def test_what_cannot_be_done_is_one_line(capsys, arguments: list[str], words: str) -> None:
    Path("book.txt").write_text(LONG * 9)
    assert main(["data", "check", *arguments]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert len(captured.err.strip().splitlines()) == 1


@pytest.mark.parametrize("verb", [["data"], ["data", "check"]])
def test_help_has_an_example_and_needs_no_torch(verb: list[str]) -> None:
    code = (
        f"import sys; from unrolled.cli import main; main({[*verb, '--help']}); "
        "sys.exit('torch' in sys.modules)"
    )
    done = forked.run("-c", code, light=True)
    assert done.returncode == 0
    assert "Example: unrolled data check book.txt" in done.stdout
