"""Checks that modules and states survive being saved, copied, moved and detached."""

import copy
import tempfile
from pathlib import Path

import torch

from unrolled.errors import LawError
from unrolled.state import detach, leaves, named_leaves, time_slice
from unrolled.storage import load_tensors, save_tensors
from unrolled.testing.case import Case, call, weigh
from unrolled.testing.compare import assert_identical


def check_state_dict(case: Case) -> None:
    """Everything that decides the answer is in ``state_dict``, and a file gives it back."""
    other = copy.deepcopy(case.module)
    with torch.no_grad():
        for tensor in (*other.parameters(), *other.buffers()):
            tensor.zero_()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "module.safetensors"
        save_tensors(path, case.module.state_dict(), {})
        other.load_state_dict(load_tensors(path)[0])
    again = Case(other, case.x, case.context)
    assert_identical("state_dict", "y", call(again.bound, case.x)[0], call(case.bound, case.x)[0])


def check_copy(case: Case) -> None:
    """A deep copy says the same and shares nothing."""
    other = Case(copy.deepcopy(case.module), case.x, case.context)
    assert_identical("copy", "y", call(other.bound, case.x)[0], call(case.bound, case.x)[0])
    mine = {parameter.data_ptr() for parameter in case.module.parameters()}
    for name, parameter in other.module.named_parameters():
        if parameter.numel() and parameter.data_ptr() in mine:
            raise LawError("copy", name, "memory of its own", "the original's")


def check_move(case: Case) -> None:
    """After ``.to`` another dtype, outputs and state follow."""
    dtype = torch.float32 if _float_dtype(case) == torch.float64 else torch.float64
    moved = Case.of(case.module, case.x, case.context, dtype)
    for name, leaf in named_leaves(call(moved.bound, moved.x), "result").items():
        if leaf.is_floating_point() and leaf.dtype != dtype:
            raise LawError("move", name, f"{dtype} after .to({dtype})", str(leaf.dtype))


def check_saved_state(case: Case) -> None:
    """A state written to a file in mid-sequence goes on bit for bit."""
    half = case.num_steps // 2 // case.module.stride * case.module.stride
    if half == 0:
        return
    _, state = call(case.bound, time_slice(case.x, 0, half), case.some_state())
    rest = time_slice(case.x, half, case.num_steps)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.safetensors"
        save_tensors(path, named_leaves(detach(state), "state"), {})
        saved, _ = load_tensors(path)
    loaded = iter(saved[name] for name in named_leaves(state, "state"))
    again = copy.deepcopy(detach(state))
    for leaf in leaves(again):
        leaf.copy_(next(loaded))
    assert_identical(
        "saved_state", "y", call(case.bound, rest, again)[0], call(case.bound, rest, state)[0]
    )


def check_detach(case: Case) -> None:
    """Between chunks a detached state cuts the graph: each chunk's backward pass stands alone."""
    state = case.some_state()
    for _ in range(2):
        y, state = call(case.bound, case.x, detach(state))
        loss = sum((weigh(leaf) for leaf in leaves(y)), torch.zeros(()))
        if not loss.requires_grad:
            return
        try:
            loss.backward()
        except RuntimeError as error:
            reason = str(error).partition(" (")[0]
            raise LawError("detach", "the next chunk", "a backward pass", reason) from None
    for parameter in case.module.parameters():
        parameter.grad = None


def _float_dtype(case: Case) -> torch.dtype:
    tensors = [*case.module.parameters(), *leaves(case.x)]
    return next((t.dtype for t in tensors if t.is_floating_point()), torch.float32)
