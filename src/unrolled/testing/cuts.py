"""Checks of the law itself: cutting a sequence anywhere never changes the answer."""

import copy

import torch

from unrolled.state import Tree, map_leaves, time_steps
from unrolled.testing.case import Case, Run, call, run
from unrolled.testing.compare import (
    CUT_TOLERANCE,
    STEP_TOLERANCE,
    assert_close,
    assert_trees_close,
)


def check_cuts(case: Case) -> None:
    """Random cuts, from a state in mid-sequence: the same y, state and gradients."""
    assert_cuts("cuts", case)


def check_steps(case: Case) -> None:
    """``step`` in a loop gives what the whole chunk gives."""
    _assert_steps("steps", case, in_place=False)


def check_steps_in_place(case: Case) -> None:
    """``step_`` in a loop, free to overwrite its state, gives what the whole chunk gives."""
    _assert_steps("steps_in_place", case, in_place=True)


def check_training(case: Case) -> None:
    """The law holds in train() too, unless the module declares why it cannot."""
    if case.module.supports.training is not True:
        return
    case.module.train()
    try:
        assert_cuts("training", case)
        generator = case.generator()
        reset = torch.rand(case.batch_size, case.num_steps, generator=generator) < 0.3
        reset[:, [t for t in range(case.num_steps) if t % case.module.stride]] = False
        assert_cuts("training", case, reset=reset)
    finally:
        case.module.eval()


def assert_cuts(check: str, case: Case, **ragged: torch.Tensor) -> None:
    """Compare the uncut run with some that are cut at random, values and gradients."""
    generator = case.generator()
    state = case.some_state()
    whole = run(case, state, [], **ragged)
    for cuts in case.ways_to_cut(generator):
        assert_runs_close(check, f"cut at {cuts}", run(case, state, cuts, **ragged), whole)


def assert_runs_close(check: str, place: str, got: Run, expected: Run) -> None:
    """Compare outputs, last states and every gradient."""
    assert_trees_close(check, f"y, {place}", got.y, expected.y, CUT_TOLERANCE)
    assert_trees_close(check, f"last state, {place}", got.state, expected.state, CUT_TOLERANCE)
    # The gradient is one vector: the part of it that all but cancels is rounded as the rest is.
    scale = max((g.abs().max().item() for g in expected.gradients.values() if g.numel()), default=0)
    for name, gradient in expected.gradients.items():
        label = f"gradient of {name}, {place}"
        assert_close(check, label, got.gradients[name], gradient, CUT_TOLERANCE, scale)


def _assert_steps(check: str, case: Case, *, in_place: bool) -> None:
    module, state = case.bound, case.some_state()
    expected, expected_state = call(module, case.x, state)
    advance = module.step_ if in_place else module.step
    state = copy.deepcopy(state)
    outputs: list[Tree] = []
    with torch.no_grad():
        for x_t in time_steps(case.x, module.stride):
            y_t, state = advance(x_t, state)
            outputs.append(map_leaves(torch.clone, y_t))
    y = map_leaves(lambda *row: torch.stack(row, dim=1), *outputs)
    assert_trees_close(check, "y", y, expected, STEP_TOLERANCE)
    assert_trees_close(check, "last state", state, expected_state, STEP_TOLERANCE)
