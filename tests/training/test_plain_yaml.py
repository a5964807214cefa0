"""YAML: what is written is read back, and what a configuration never needs is refused."""

import math
from pathlib import Path

import pytest
import yaml

from unrolled.errors import ConfigError, ReaderError, UnrolledError
from unrolled.training.plain_yaml import read_yaml, write_yaml

VALUES = [
    None, True, False, 0, -7, 10**17, 0.5, 1e-3, 1e-300, -2.5e20, 3.0, math.inf, -math.inf,
    "", " ", "lstm", "null", "Null", "true", "yes", "no",
    "~", "~/x", "1", "1e-3", ".5", "+3", ".inf",
    "90/5/5", "on", "Off", "/usr/include/**/*.h", "$UNROLLED_DATA/a b.txt", "${X}/y",
    "a: b", "a #b", "#", "-", "- a",
    "---", "...", "[a]", "{a}", "*a", "&a", "!a", "%a", "@a", "`a", "'", '"', "\\",
    "a\nb\n", "\t", "\x00\x7f",
    "\u2028", "é", "日本", "😀", "a ", " a", "0x10", "0o7", "1_000", "12:30", "2024-01-01",
    "=", "<<",
    [], [1, "a, b", [None, 2.5]], {"a": 1, "b c": {"d": ["e"]}},
]  # fmt: skip


def document(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "run.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_value_comes_back_with_its_type(tmp_path: Path, value: object) -> None:
    tree = {"top": value, "section": {"inner": value, "é é": "x"}}
    path = document(tmp_path, write_yaml(tree, {"section.inner": "words"}, "One.\n\nTwo."))
    assert repr(read_yaml(path).plain()) == repr(tree)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_others_read_what_is_written_too(value: object) -> None:
    tree = {"top": value, "section": {"on": value, "1": 2}}
    assert yaml.safe_load(write_yaml(tree, {"top": "words"}, "Head")) == tree


def test_nan_comes_back_as_nan(tmp_path: Path) -> None:
    path = document(tmp_path, write_yaml({"rate": math.nan}, {}, ""))
    assert math.isnan(read_yaml(path).plain()["rate"])


def test_scalars_mean_what_they_mean_in_yaml_1_2(tmp_path: Path) -> None:
    text = "a: 1e-3\nb: no\nc: 0777\nd: 12:30\ne: 2024-01-01\nf: ~\ng:\nh: '7'\ni: TRUE\n"
    read = read_yaml(document(tmp_path, text)).plain()
    assert read == {
        "a": 0.001, "b": "no", "c": 777, "d": "12:30", "e": "2024-01-01", "f": None, "g": None,
        "h": "7", "i": "TRUE",
    }  # fmt: skip


def test_lines_are_kept(tmp_path: Path) -> None:
    node = read_yaml(document(tmp_path, "# words\na: 1\nb:\n  c: 2\n"))
    assert node.value["a"].line == 2
    assert node.value["b"].value["c"].line == 4


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert read_yaml(document(tmp_path, "# only words\n")).plain() == {}
    assert read_yaml(document(tmp_path, "")).plain() == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", "the key 'a' once at .*:3, got it again"),
        ("a: &x 1\nb: *x\n", "without anchors and aliases at .*:1"),
        ("b:\n  c: *x\n", "without anchors and aliases at .*:2"),
        ("a: !!python/object/apply:os.system ['true']", "without tags at .*:1"),
        ("a: !!str 1\n", "without tags at .*:1"),
        ("a: 1\n---\nb: 2\n", "one document at .*:2, got another"),
        ("1: a\n", "a word as a key at .*:1, got 1"),
        ("[a]: 1\n", r"a word as a key at .*:1"),
        ("a:\n - b\n c\n", "YAML at .*:4, got something else: could not find"),
        ("a: {b\n", "YAML at .*:"),
        ("\ta: 1\n", "YAML at .*:1"),
        ("a: \x00", "YAML at"),
        ("- a\n", r"a mapping, KEY: VALUE on each line, in .*, got \['a'\]"),
        ("7", "a mapping, KEY: VALUE on each line, in .*, got 7"),
        ("a: " + "[" * 60_000, "at most 8 levels at .*:1, got more"),
        ("- " * 20_000, "at most 8 levels at .*:1, got more"),
        ("a: 1\n" + "#" * 2**16, "at most 64 KiB"),
        (b"a: caf\xe9\n", "utf-8 text in .*, got other bytes at 6"),
    ],
    ids=range(18),
)
def test_what_a_configuration_never_needs_is_refused(
    tmp_path: Path, text: str | bytes, words: str
) -> None:
    with pytest.raises(ReaderError, match=words) as caught:
        read_yaml(document(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"a YAML file at .*, got nothing there"):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(ReaderError, match=r"a YAML file at .*, got Is a directory"):
        read_yaml(tmp_path)


def test_what_no_file_can_hold_is_not_written() -> None:
    with pytest.raises(UnrolledError, match="options that a file can hold, got <object"):
        write_yaml({"options": {"x": object()}}, {}, "")
    with pytest.raises(ConfigError):
        write_yaml({"x": 1j}, {}, "")
