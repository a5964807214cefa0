"""``unrolled export``."""

import json
from pathlib import Path

import pytest
import torch

from unrolled.cli import main


def test_a_step_of_a_named_network(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "step.pt2"
    assert main(["export", "gru", "--to", str(path), "--set", "hidden_size=5"]) == 0
    out, err = capsys.readouterr()
    assert "inputs   x state.h\noutputs  y next_state.h\n" in out
    assert "gru has random weights" in err
    assert torch.export.load(path) is not None


def test_as_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["export", "bigram", "--to", str(tmp_path / "step.pt2"), "--json"]
    assert main(arguments) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["inputs"], figures["outputs"]) == (["x"], ["y"])
    assert figures["largest_relative_difference"] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lsmt", "--to", "step.onnx"], "did you mean lstm?"),
        (["lstm", "--to", "step.tflite"], "a path that ends in .pt2 or .onnx, got step.tflite"),
        (["lstm", "--to", "nowhere/step.onnx"], "a folder at nowhere, got none"),
        (["runs/nowhere", "--to", "step.onnx"], "a model folder at runs/nowhere"),
        (["show_attend_tell", "--to", "step.onnx"], "which takes a Memory"),
    ],
)
def test_what_cannot_be_exported_is_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
