"""Configurations: every key is checked, and a mistake is named with its place and its cure."""

from dataclasses import fields
from pathlib import Path

import pytest

from unrolled.errors import ConfigError
from unrolled.tasks.language.configuration import LANGUAGE_CONFIGURATION
from unrolled.tasks.language.options import LanguageOptions
from unrolled.training.configuration import expand_path
from unrolled.training.options import TrainingOptions


def read(tmp_path: Path, text: str) -> dict:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    return LANGUAGE_CONFIGURATION.read(path)


def test_a_partial_file_says_what_it_says(tmp_path: Path) -> None:
    text = "training:\n  learning_rate: 1e-3\n  max_minutes: 3\n  max_steps: null\n"
    assert read(tmp_path, text) == {
        "training": {"learning_rate": 0.001, "max_minutes": 3, "max_steps": None}
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("modle: lstm", r"at .*run\.yaml:1, got 'modle'; did you mean model\?"),
        ("\nwindow: 3", r":2, got 'window'; did you mean training\.window\?"),
        ("training:\n  windw: 3", r":2, got 'training\.windw'; did you mean training\.window\?"),
        ("training:\n  zzz: 3", r":2, got 'training\.zzz'$"),
        ("import: mine.py", r"names no code at .*:1, got import; .* --import mine\.py"),
        ("training:\n  window: many", r"training\.window at .*:2 to be a whole number, got 'many'"),
        ("training:\n  window: 2.5", "to be a whole number, got 2.5"),
        ("training:\n  window: true", "to be a whole number, got True"),
        ("training:\n  max_minutes: no", "to be a number or null, got 'no'"),
        ("training:\n  carry_state: yes", "to be true or false, got 'yes'"),
        ("training:\n  carry_state: 1", "to be true or false, got 1"),
        ("training:\n  optimizer: sdg", "to be adam or adamw or .*, got 'sdg'"),
        ("training: fast", "training at .*:1 to be a mapping of keys, got 'fast'"),
        ("training:\n  batch_size: null", "to be a whole number, got null"),
        ("task: video", "task at .*:1 to be language, got 'video'"),
        ("data: [a, b]", r"data at .*:1 to be text or null, got \['a', 'b'\]"),
        ("reading:\n  split: 90", "to be text, got 90"),
    ],
    ids=lambda value: value.replace("\n", " ") if ":" in value else "",
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_every_option_has_words_on_it() -> None:
    found = LANGUAGE_CONFIGURATION.comments()
    for section, kind in (("reading", LanguageOptions), ("training", TrainingOptions)):
        for field in fields(kind):
            assert found[f"{section}.{field.name}"], field.name


def test_paths_name_environment_variables(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SOME_DATA", "/data")
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.delenv("NO_SUCH_DATA", raising=False)
    assert expand_path("$SOME_DATA/a.txt") == "/data/a.txt"
    assert expand_path("${SOME_DATA}x/*.txt") == "/datax/*.txt"
    assert expand_path("~/a.txt") == "/home/me/a.txt"
    with pytest.raises(
        ConfigError, match=r"variable NO_SUCH_DATA of .*, got none; .*export NO_SUC"
    ):
        expand_path("$NO_SUCH_DATA/a.txt")
    odd = tmp_path / "cost in $NO_SUCH_DATA.txt"
    odd.touch()
    assert expand_path(str(odd)) == str(odd), "a file that exists is meant as it is written"
