"""What an inspection says of a module, of the library's names, and of the installation."""

import torch

from unrolled.cells import LSTM
from unrolled.diagnostics import catalogue, environment, inspect_recurrence, specimen
from unrolled.layers import CausalConv1d, Serial
from unrolled.recurrence import Supports


def test_a_finite_field_is_found_by_formula() -> None:
    stack = Serial(*(CausalConv1d(3, 3, kernel_size=2, dilation=2**i) for i in range(7)))
    figures = inspect_recurrence(stack).figures()
    assert figures["receptive_field_steps"] == 128
    assert figures["receptive_field"] == "128 steps"
    assert figures["state_bytes_per_stream"] == 127 * 3 * 4
    assert figures["macs_per_step"] == 7 * 3 * 3 * 2


def test_an_infinite_field_is_not_called_finite() -> None:
    inspection = inspect_recurrence(LSTM(3, 5), max_steps=40)
    assert inspection.figures()["receptive_field_steps"] is None
    assert inspection.sight() == "no end within the 40 steps probed"


def test_limits_come_with_their_reasons() -> None:
    cell = LSTM(3, 5)
    cell.supports = Supports(training="it has batch statistics")
    assert inspect_recurrence(cell, max_steps=16).limits == {"training": "it has batch statistics"}
    assert inspect_recurrence(LSTM(3, 5), max_steps=16).limits == {}


def test_a_context_is_weighed() -> None:
    decoder = specimen("show_attend_tell", {"attention_size": 2, "feature_size": 7}).module
    inspection = inspect_recurrence(decoder, max_steps=16)
    assert inspection.context_bytes == 49 * (7 + 2) * 4
    assert inspection.x == ()


def test_the_module_keeps_its_weights_and_dtype() -> None:
    cell = LSTM(3, 5)
    before = cell.weight_hh.clone()
    inspect_recurrence(cell, max_steps=16)
    assert cell.weight_hh.dtype == torch.float32
    assert torch.equal(cell.weight_hh, before)


def test_the_catalogue_has_a_line_on_each() -> None:
    found = catalogue()
    assert "lstm" in found["cells"]
    assert "show_attend_tell" in found["models"]
    assert "Serial" in found["layers"]
    assert all(line.endswith(".") for kind in found.values() for line in kind.values())


def test_the_environment_names_versions() -> None:
    found = environment()
    assert found["torch"] == torch.__version__
    assert found["torch_threads"] == torch.get_num_threads()
    assert found["cpus"] >= found["cpus_usable"] >= 1
