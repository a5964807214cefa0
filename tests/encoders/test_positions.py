"""Positions: two channels that say where a place is."""

import torch

from unrolled.encoders.positions import Positions


def test_rows_and_columns_go_from_minus_one_to_one() -> None:
    x = torch.randn(2, 3, 4, 7)
    y = Positions()(x)
    assert y.shape == (2, 5, 4, 7)
    assert torch.equal(y[:, :3], x)
    for row in range(4):
        for column in range(7):
            expected = torch.tensor([-1 + 2 * row / 3, -1 + 2 * column / 6])
            assert torch.allclose(y[:, 3:, row, column], expected.expand(2, 2), atol=1e-6)


def test_one_place_is_the_first() -> None:
    assert Positions()(torch.zeros(1, 1, 1, 1)).flatten().tolist() == [0, -1, -1]
