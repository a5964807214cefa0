"""A step as a file: other runtimes give the same numbers, for any batch and any length."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_tensors
from torch import Tensor

from unrolled import export
from unrolled.cells import GRU, LSTM, PeepholeLSTM
from unrolled.errors import ConfigError, ContextError, NumericsError
from unrolled.export import export_step
from unrolled.layers import CausalConv1d, Dropout, Serial
from unrolled.models import RecurrentLanguageModel, ShowAttendTell

B, T, C, D = 3, 7, 5, 11


def test_onnx_streams_what_the_module_computes(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    module = PeepholeLSTM(C, D).eval()
    exported = export_step(module, torch.zeros(1, C), tmp_path / "step.onnx")
    assert exported.inputs == ["x", "state.h", "state.c"]
    assert exported.outputs == ["y", "next_state.h", "next_state.c"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step.onnx", "step.safetensors"]
    session = onnxruntime.InferenceSession(exported.path)
    assert [given.name for given in session.get_inputs()] == exported.inputs
    x = torch.randn(B, T, C)
    state = {name: row.repeat(B, 0) for name, row in load_file(exported.state_path).items()}
    outputs = []
    for x_t in x.numpy().swapaxes(0, 1):
        y, *after = session.run(exported.outputs, {"x": x_t, **state})
        outputs.append(y)
        state = dict(zip(exported.inputs[1:], after, strict=True))
    with torch.no_grad():
        expected, last = module(x)
    np.testing.assert_allclose(np.stack(outputs, 1), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(state["state.c"], last.c, rtol=1e-5, atol=1e-6)


def _language_model() -> RecurrentLanguageModel:
    return RecurrentLanguageModel(13, embedding_size=3, hidden_size=D, dropout=0.5)


@pytest.mark.parametrize(
    ("module", "x_t"),
    [
        (_language_model(), torch.randint(13, (1,))),
        (Serial(CausalConv1d(C, 3, kernel_size=3, stride=2), GRU(3, D)), torch.randn(1, 2, C)),
    ],
    ids=["a language model", "a stride"],
)
def test_torch_streams_what_the_module_computes(module: Any, x_t: Tensor, tmp_path: Path) -> None:
    module = module.eval()
    exported = export_step(module, x_t, tmp_path / "step.pt2")
    step = torch.export.load(exported.path).module()
    first = load_tensors(exported.state_path)
    names = [name for name in exported.inputs if name != "x"]
    state = [first[name].repeat_interleave(B, 0) for name in names]
    frames = [x_t.expand(B, *x_t.shape[1:]) for _ in range(T)]
    ours = module.state_like(frames[0])
    for frame in frames:
        y, *state = step(frame, *state)
        with torch.no_grad():
            expected, ours = module.step(frame, ours)
        torch.testing.assert_close(y, expected, rtol=1e-5, atol=1e-6)


def test_a_file_that_computes_something_else_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = export._write_torch
    monkeypatch.setattr(
        export,
        "_write_torch",
        lambda *given: lambda tensors: [t * 1.001 for t in write(*given)(tensors)],
    )
    with pytest.raises(NumericsError, match="differ by at most 1e-05"):
        export_step(LSTM(C, D).eval(), torch.zeros(1, C), tmp_path / "step.pt2")
    assert list(tmp_path.iterdir()) == []


class Deciding(LSTM):
    def step(self, x_t: Tensor, state: Any) -> tuple[Tensor, Any]:
        return super().step(-x_t if x_t.sum().item() > 0 else x_t, state)


@pytest.mark.parametrize(
    ("module", "name", "words"),
    [
        (LSTM(C, D), "step.onnx", "call module.eval"),
        (LSTM(C, D).eval(), "step.tflite", r"a path that ends in \.pt2 or \.onnx"),
        (LSTM(C, D).eval(), "nowhere/step.pt2", "expected a folder at .*nowhere, got none"),
        (Deciding(C, D).eval(), "step.pt2", "a step of Deciding that torch.export can trace"),
    ],
)
def test_what_cannot_be_exported_is_one_line(
    module: Any, name: str, words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        export_step(module, torch.zeros(1, C), tmp_path / name)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a format among torch, onnx, got 'tflite'"):
        export_step(LSTM(C, D).eval(), torch.zeros(1, C), tmp_path / "step", format="tflite")


def test_a_context_is_refused(tmp_path: Path) -> None:
    decoder = ShowAttendTell(13, 7, embedding_size=3, hidden_size=D, attention_size=3).eval()
    with pytest.raises(ContextError, match="no context, got ShowAttendTell, which takes a Memory"):
        export_step(decoder, torch.zeros(1, dtype=torch.int64), tmp_path / "step.onnx")


def test_a_state_that_passes_through_is_an_output_of_its_own(tmp_path: Path) -> None:
    exported = export_step(Dropout(0.5).eval(), torch.zeros(1, C), tmp_path / "step.pt2")
    assert exported.outputs == ["y", "next_state.seed", "next_state.step"]
    assert exported.difference == 0
