"""Steps of a search go on from the state that they are given, whatever steps natively."""

import copy

import pytest
import torch

from tests.kernels.machines import needs_library
from unrolled.cells import GRU, LSTM, LSTMState
from unrolled.decoding.steps import Steps
from unrolled.layers import CausalConv3d, Linear, Serial
from unrolled.recurrence import Recurrence

MODELS = {
    "a cell": (lambda: GRU(3, 5), (2, 3)),
    "a cell and its output": (lambda: Serial(GRU(3, 5), Linear(5, 7)), (2, 3)),
    # Their stepper keeps a state for every row, and gives away copies.
    "convolutions": (
        lambda: Serial(Serial(CausalConv3d(3, 5, kernel_size=(3, 3, 3)))),
        (2, 3, 7, 5),
    ),
}


@needs_library
@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_every_step_begins_from_the_state_that_is_given(name: str) -> None:
    build, size = MODELS[name]
    model: Recurrence = build().eval()
    x = torch.randn(4, *size)
    steps, state = Steps(), model.state_like(x[0])
    _, after = model.step(x[0], state)
    _, further = model.step(x[1], after)
    for before, x_t in ((state, x[0]), (further, x[2]), (after, x[3])):
        expected, _ = model.step(x_t, before)
        y_t, _ = steps(model, x_t, copy.deepcopy(before))  # which may be written over
        assert torch.allclose(y_t, expected, rtol=1e-5, atol=1e-6)
    assert any(stepper is not None for stepper in steps._steppers.values())


@needs_library
@torch.no_grad()
def test_a_state_of_one_tensor_for_two_leaves_is_taken_apart() -> None:
    cell, x_t = LSTM(3, 5).eval(), torch.randn(2, 3)
    steps, both = Steps(), torch.randn(2, 5)
    steps(cell, x_t, cell.initial_state(2))
    expected, after = cell.step(x_t, LSTMState(both, both))
    y_t, state = steps(cell, x_t, LSTMState(both, both))
    assert torch.allclose(y_t, expected, atol=1e-6)
    assert torch.allclose(state.h, after.h, atol=1e-6)
    assert torch.allclose(state.c, after.c, atol=1e-6)


@needs_library
@torch.no_grad()
def test_what_a_step_gave_is_not_written_over_by_the_next() -> None:
    cell = GRU(3, 5).eval()
    steps, state = Steps(), cell.initial_state(2)
    y_t, state = steps(cell, torch.randn(2, 3), state)
    kept = y_t.clone()
    steps(cell, torch.randn(2, 3), state)
    assert torch.equal(y_t, kept)
