"""What inspect shows of networks over pictures and clips."""

import json

import pytest

from unrolled.cli import main
from unrolled.diagnostics.network_input import parse_input
from unrolled.errors import ConfigError

SMALL = ["inspect", "deck_slow_fusion", "--input", "T=8,C=3,H=16,W=16"]


def shown(capsys, *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def test_the_decks_table_is_shown_with_its_slip(capsys) -> None:
    out = shown(capsys, "inspect", "deck_slow_fusion", "--probe")
    for words in ("8,784", "12 x 20 x 64 x 64", "14 x 14 x 14", "20 x 64 x 64", "3 of 3 fields"):
        assert words in out
    assert "24 x 1 x 1 x 1" in out, "what the deck has wrong stands at the foot"


def test_the_same_as_json(capsys) -> None:
    found = json.loads(shown(capsys, *SMALL, "--probe", "--json"))
    assert found["input"] == {"T": 8, "C": 3, "H": 16, "W": 16}
    assert found["parameters"] == 8784
    assert found["macs_per_input"] == (3 * 12 * 8 * 256 + 12 * 24 * 2 * 16) * 27
    assert found["layers"][0]["receptive_field"] == {"T": 3, "H": 3, "W": 3}
    assert all(probed["agrees"] for probed in found["probed"])


def test_layers_are_added_up_to_a_depth(capsys) -> None:
    out = shown(capsys, "inspect", "resnet18", "--input", "C=3,H=64,W=64", "--depth", "1")
    assert "layer1" in out
    assert "layer1.0" not in out
    assert "11,689,512" in out


def test_a_recurrence_is_followed_over_a_clip(capsys) -> None:
    arguments = ["--set", "input_size=3", "--set", "hidden_size=5", "--input", "T=4,C=3,H=8,W=8"]
    found = json.loads(shown(capsys, "inspect", "conv_lstm", *arguments, "--json"))
    assert found["macs_per_input"] == 4 * 4 * 5 * (3 + 5) * 9 * 8 * 8
    assert found["layers"][0]["receptive_field"]["T"] == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("C=3,T=16,H=8,W=8", r"\[B, T, C, H, W\], got \[B, C, T, H, W\]; write --input T=16,C=3,"),
        ("C=3,H=8,W=8,H=9", "H twice"),
        ("T=16", "C, H and W"),
        ("C=3,H=8,W=0", "axes with sizes"),
        ("C=3,H=8,D=2", "axes with sizes"),
        ("", "axes with sizes"),
    ],
)
def test_an_input_that_cannot_be_is_one_line(capsys, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_input(text)
    assert main(["inspect", "resnet18", "--input", text]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_size_that_a_network_does_not_take_is_one_line(capsys) -> None:
    for size in ("C=4,H=64,W=64", "T=16,C=3,H=8,W=8"):
        assert main(["inspect", "c3d", "--input", size]) == 2
        captured = capsys.readouterr()
        assert captured.err.startswith("unrolled: expected")
        assert len(captured.err.strip().splitlines()) == 1
        assert captured.out == ""
