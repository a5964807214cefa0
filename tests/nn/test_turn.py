"""Sequences turned round, against a loop over them."""

import pytest
import torch

from unrolled.kernels.ragged import Rows
from unrolled.nn._turn import Turn


@pytest.mark.parametrize("counts", [(1,), (3,), (2, 2, 2), (3, 2, 2, 1), (5, 4, 1, 1, 1, 1, 1)])
def test_every_sequence_is_turned_within_its_length(counts: tuple[int, ...]) -> None:
    rows = Rows(counts)
    data = torch.randn(rows.total, 2, requires_grad=True)
    offsets = [sum(counts[:t]) for t in range(len(counts))]
    expected = torch.empty(rows.total, 2)
    for b in range(counts[0]):
        places = [offset + b for offset, count in zip(offsets, counts, strict=True) if b < count]
        expected[places] = data.detach()[places[::-1]]
    turn = Turn(rows)
    turned = turn(data)
    assert torch.equal(turned, expected)
    assert torch.equal(turn(turned), data)
    weights = torch.randn(rows.total, 2)
    (gradient,) = torch.autograd.grad((turned * weights).sum(), data)
    assert torch.equal(gradient, turn(weights))
