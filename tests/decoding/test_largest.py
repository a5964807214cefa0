"""The k largest: as a stable sort has them, whatever the size of the rows."""

import pytest
import torch
from torch import Tensor

from unrolled.decoding.largest import BLOCK, block_maxima, largest


def by_sorting(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    values, columns = scores.sort(dim=1, descending=True, stable=True)
    return values[:, :k], columns[:, :k]


@pytest.mark.parametrize("k", [1, 2, 7])
@pytest.mark.parametrize("size", [7, BLOCK, 4 * BLOCK + 1, 31 * BLOCK, 31 * BLOCK + 5, 2999])
@pytest.mark.parametrize("levels", [2, 5, 1000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])  # natively, and by torch
def test_it_is_a_stable_sort(size: int, k: int, levels: int, dtype: torch.dtype) -> None:
    scores = torch.randint(levels, (5, size)).to(dtype)
    for found, expected in zip(largest(scores, k), by_sorting(scores, k), strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("size", [11, 31 * BLOCK + 5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_impossible_comes_last_and_in_order(size: int, dtype: torch.dtype) -> None:
    scores = torch.full((2, size), -torch.inf, dtype=dtype)
    scores[0, size - 1] = -3.0
    values, columns = largest(scores, 3)
    assert columns.tolist() == [[size - 1, 0, 1], [0, 1, 2]]
    assert values[0, 0] == -3.0
    assert torch.isneginf(values[1]).all()


@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK, 31 * BLOCK + 5])
def test_known_maxima_change_nothing(size: int) -> None:
    scores = torch.randn(3, size, dtype=torch.float64)
    known = largest(scores, 5, maxima=block_maxima(scores))
    for found, expected in zip(known, largest(scores, 5), strict=True):
        assert torch.equal(found, expected)


def test_more_than_a_few_are_found_as_well() -> None:
    scores = torch.randint(50, (3, 500)).float()
    for found, expected in zip(largest(scores, 300), by_sorting(scores, 300), strict=True):
        assert torch.equal(found, expected)
