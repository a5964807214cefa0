"""Checks of form: shapes and dtypes of outputs and state, the stride, declared limits."""

import torch

from unrolled.errors import LawError, ShapeError
from unrolled.state import first_step, leaves, named_leaves, state_dtype, time_slice
from unrolled.testing.case import Case, call
from unrolled.testing.compare import STEP_TOLERANCE, assert_trees_close


def check_output(case: Case) -> None:
    """y leads with B and T / stride in every part, and comes in a pair with the state."""
    result = call(case.bound, case.x)
    if not (isinstance(result, tuple) and len(result) == 2):
        raise LawError("output", "forward", "a pair (y, state)", type(result).__name__)
    expected = [case.batch_size, case.num_steps // case.module.stride]
    for name, leaf in named_leaves(result[0], "y").items():
        if list(leaf.shape[:2]) != expected:
            raise LawError("output", name, f"leading axes {expected}", str(list(leaf.shape)))


def check_state(case: Case) -> None:
    """Every leaf of the state leads with B and keeps its shape and dtype."""
    before = named_leaves(call(case.bound, time_slice(case.x, 0, case.module.stride))[1], "state")
    after = named_leaves(call(case.bound, case.x)[1], "state")
    if before.keys() != after.keys():
        raise LawError("state", "its tree", f"the leaves {[*before]}", f"{[*after]} later on")
    parameter = next(case.module.parameters(), leaves(case.x)[0])
    wanted = state_dtype(parameter.dtype)
    for name, leaf in after.items():
        constant = list(before[name].shape)
        if list(leaf.shape) != constant or constant[:1] != [case.batch_size]:
            shape = f"constant shape [{case.batch_size}, ...]"
            raise LawError("state", name, shape, f"{constant}, then {list(leaf.shape)}")
        dtype = wanted if leaf.is_floating_point() else torch.int64
        if leaf.dtype != dtype:
            raise LawError("state", name, str(dtype), str(leaf.dtype))


def check_memory(case: Case) -> None:
    """Every leaf of a fresh state owns its memory; ``step_`` may write into it."""
    owners: dict[int, str] = {}
    fresh = case.bound.state_like(first_step(case.x, case.module.stride))
    for name, leaf in named_leaves(fresh, "state").items():
        if leaf.numel() == 0:
            continue
        other = owners.setdefault(leaf.untyped_storage().data_ptr(), name)
        if other != name:
            raise LawError("memory", name, "memory of its own", f"the memory of {other}")
        if leaf.numel() * leaf.element_size() > leaf.untyped_storage().nbytes():
            raise LawError("memory", name, "memory for every row", "rows that share theirs")


def check_stride(case: Case) -> None:
    """T must be a multiple of the stride, and ``step`` takes one block of that many steps."""
    stride = case.module.stride
    if stride == 1:
        return
    try:
        call(case.bound, time_slice(case.x, 0, stride - 1))
    except ShapeError:
        pass
    else:
        raise LawError("stride", f"T = {stride - 1}", f"a ShapeError, {stride = }", "an answer")
    state = case.some_state()
    y_t, _ = case.bound.step(first_step(case.x, stride), state)
    y, _ = call(case.bound, time_slice(case.x, 0, stride), state)
    assert_trees_close("stride", "y of one block", y_t, first_step(y), STEP_TOLERANCE)


def check_limits(case: Case) -> None:
    """A limit is declared with its reason: a sentence, not a flag."""
    for name, value in vars(case.module.supports).items():
        if value is not True and not (isinstance(value, str) and " " in value.strip()):
            raise LawError("limits", f"supports.{name}", "True or a reason in words", repr(value))
