"""Comparing tensors and trees; a difference becomes a ``LawError`` that says where and how much."""

import torch
from torch import Tensor

from unrolled.errors import LawError
from unrolled.state import Tree, named_leaves

# The law in figures: relative to the largest value of the tensor.
CUT_TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6}
STEP_TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}


def assert_close(
    check: str,
    name: str,
    got: Tensor,
    expected: Tensor,
    tolerance: dict[torch.dtype, float],
    scale: float | None = None,
) -> None:
    """Raise unless ``got`` is finite and within ``tolerance`` of ``expected``.

    The tolerance is relative to ``scale``, or else to the largest value of ``expected``.
    """
    if got.shape != expected.shape or got.dtype != expected.dtype:
        raise LawError(
            check,
            name,
            f"{expected.dtype} {list(expected.shape)}",
            f"{got.dtype} {list(got.shape)}",
        )
    if got.numel() == 0:
        return
    allowed = 0.0
    if expected.is_floating_point():
        scale = expected.abs().max().item() if scale is None else scale
        allowed = tolerance[expected.dtype] * (scale if scale > 0 else 1.0)
    difference = (got.detach().double() - expected.detach().double()).abs()
    difference = difference.nan_to_num(nan=torch.inf)
    worst = int(difference.argmax())
    if difference.flatten()[worst] > allowed:
        index = [int(i) for i in torch.unravel_index(torch.tensor(worst), got.shape)]
        raise LawError(
            check,
            f"{name}{index if index else ''}",
            f"{expected.flatten()[worst].item():.9g} within {allowed:.1e}",
            f"{got.flatten()[worst].item():.9g}",
        )


def assert_trees_close(
    check: str, name: str, got: Tree, expected: Tree, tolerance: dict[torch.dtype, float]
) -> None:
    """Compare two trees leaf by leaf; their structure must be the same."""
    named_got, named_expected = named_leaves(got), named_leaves(expected)
    if type(got) is not type(expected) or named_got.keys() != named_expected.keys():
        raise LawError(check, name, f"leaves {[*named_expected]}", f"leaves {[*named_got]}")
    for path, leaf in named_expected.items():
        assert_close(check, f"{name}.{path}" if path else name, named_got[path], leaf, tolerance)


def assert_identical(check: str, name: str, got: Tree, expected: Tree) -> None:
    """Compare two trees bit for bit; a NaN equals itself."""
    for path, leaf in named_leaves(expected).items():
        other = named_leaves(got)[path]
        same = (other == leaf) | ((other != other) & (leaf != leaf))
        if not bool(same.all()):
            label = f"{name}.{path}" if path else name
            raise LawError(check, label, "the same bits", f"{int((~same).sum())} others")
