"""What holds for every cell of the registry that takes vectors."""

import pytest
import torch

import unrolled
from unrolled import registry
from unrolled.cells._cell import _Cell
from unrolled.errors import ShapeError
from unrolled.recurrence import Recurrence
from unrolled.state import leaves

NAMES = ["lstm", *(n for n in registry.names() if issubclass(registry.lookup(n), _Cell))]


@pytest.mark.parametrize("name", NAMES)
def test_a_chunk_equals_the_plain_loop_in_low_precision_too(name: str) -> None:
    cell = unrolled.build(name, 7, 7).bfloat16()
    x = torch.randn(3, 5, 7, dtype=torch.bfloat16)
    y, state = cell(x)
    expected, last = Recurrence.scan(cell, x, cell.initial_state(3))
    assert y.dtype == expected.dtype == torch.bfloat16
    assert torch.allclose(y.float(), expected.float(), atol=0.02)
    for leaf, other in zip(leaves(state), leaves(last), strict=True):
        assert torch.allclose(leaf, other, atol=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_under_autocast_the_state_stays_in_float32(name: str) -> None:
    cell = unrolled.build(name, 7, 7)
    with torch.autocast("cpu", torch.bfloat16):
        y, state = cell(torch.randn(3, 5, 7))
        y_t, after = cell.step(torch.randn(3, 7), state)
    for leaf in (y, y_t, *leaves(state), *leaves(after)):
        assert leaf.dtype == torch.float32


@pytest.mark.parametrize("name", NAMES)
def test_another_number_of_features_is_refused(name: str) -> None:
    cell = unrolled.build(name, 7, 7)
    with pytest.raises(ShapeError, match=r"x of shape \[B, T, C=7\], got \[3, 5, 2\]"):
        cell(torch.randn(3, 5, 2))
    with pytest.raises(ShapeError, match=r"x_t of shape \[B, C=7\], got \[3, 2\]"):
        cell.step(torch.randn(3, 2), cell.initial_state(3))
