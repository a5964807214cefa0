"""Rows of unequal length, cut and gathered natively, against numpy and torch."""

import pytest
import torch
from torch import Tensor

from tests.kernels.machines import needs_library
from unrolled.kernels import naive, ragged
from unrolled.kernels.ragged import Rows

SIZES = [(1, 1), (3, 7), (16, 40), (0, 4), (4, 0)]


def drawn(batch: int, steps: int, share: float) -> tuple[Tensor, Tensor]:
    return torch.randint(steps + 1, (batch,)), torch.rand(batch, steps) < share


@needs_library
@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
@pytest.mark.parametrize(("batch", "steps"), SIZES)
def test_stretches_are_those_of_numpy(batch: int, steps: int, share: float) -> None:
    for _ in range(5):
        lengths, reset = drawn(batch, steps, share)
        found, expected = ragged.stretches(lengths, reset), naive.stretches(lengths, reset)
        assert found.counts == expected.counts
        for name in ("row", "begins_anew", "home", "places", "inverse"):
            assert torch.equal(getattr(found, name), getattr(expected, name)), name
        assert (found.anew, found.without) == (expected.anew, expected.without)


@pytest.mark.parametrize(
    "way", [naive.stretches, pytest.param(ragged.stretches, marks=needs_library)]
)
def test_stretches_worked_out_by_hand(way) -> None:
    # a a|a of 4, none, and b b b b, which begins anew at once: two long as b, a a, a.
    reset = torch.zeros(3, 4, dtype=torch.bool)
    reset[0, 2] = reset[0, 3] = reset[2, 0] = True  # the second is past the end
    found = way(torch.tensor([3, 0, 4]), reset)
    assert found.counts == (3, 2, 1, 1)
    assert found.row.tolist() == [2, 0, 0]
    assert found.begins_anew.tolist() == [True, False, True]
    assert found.home.tolist() == [2, -1, 0]
    assert found.places.tolist() == [8, 0, 2, 9, 1, 10, 11]
    assert found.inverse.tolist() == [1, 4, 2, -1, -1, -1, -1, -1, 0, 3, 5, 6]
    assert (found.anew, found.without) == (2, 1)


@needs_library
@pytest.mark.parametrize("counts", [(1,), (5, 5, 5), (7, 4, 4, 1), (3, 2, 1)])
def test_neighbours_are_those_of_numpy(counts: tuple[int, ...]) -> None:
    before, last = naive.neighbours(counts)
    rows = Rows(counts)
    states = torch.randn(rows.batch_size + rows.total, 3)
    assert torch.equal(rows.before(states), states[before])
    assert torch.equal(rows.last(states), states[last])


def test_neighbours_worked_out_by_hand() -> None:
    # First states 0 and 1; after step 0: 2 and 3, after step 1: 4.
    before, last = naive.neighbours((2, 1))
    assert before.tolist() == [0, 1, 2]
    assert last.tolist() == [4, 3]


@needs_library
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int16, torch.bool])
@pytest.mark.parametrize("shape", [(), (5,), (3, 0), (300, 7)], ids=str)
def test_rows_are_gathered_as_torch_gathers_them(shape: tuple[int, ...], dtype) -> None:
    x = torch.randint(9, (40, *shape)).to(dtype)
    index = torch.randint(-1, 40, (300,))
    assert torch.equal(ragged.gather(x, index), naive.gather(x, index))
    assert torch.equal(ragged.gather(x, index[:0]), naive.gather(x, index[:0]))
    nothing, nowhere = x[:0], torch.full((3,), -1)
    assert torch.equal(ragged.gather(nothing, nowhere), naive.gather(nothing, nowhere))


@needs_library
def test_rows_and_index_may_have_any_strides() -> None:
    x, index = torch.randn(6, 10).t(), torch.randint(-1, 10, (8, 2))[:, 0]
    assert torch.equal(ragged.gather(x, index), naive.gather(x, index))


def test_rows_that_are_taken_have_gradients_of_every_order() -> None:
    found = ragged.stretches(*drawn(3, 5, 0.3))
    x = torch.randn(15, 2, dtype=torch.double, requires_grad=True)
    there = (found.places, found.inverse)
    for index, inverse in (there, there[::-1]):
        rows = x[: len(inverse)]
        assert torch.autograd.gradcheck(lambda v, *i: ragged.take(v, *i), (rows, index, inverse))
        assert torch.autograd.gradgradcheck(
            lambda v, *i: ragged.take(v, *i).sin(), (rows, index, inverse)
        )
