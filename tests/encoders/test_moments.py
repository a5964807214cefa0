"""Moments: how much of each channel a frame has, whereabouts, and when."""

import torch

from unrolled.encoders.moments import Moments


def test_sums_are_those_of_a_loop_over_places() -> None:
    x = torch.randn(2, 3, 4, 5, 7)
    y = Moments()(x)
    assert y.shape == (2, 3, Moments.size(4))
    for t in range(3):
        expected = torch.zeros(2, 13)
        for row in range(5):
            for column in range(7):
                place = x[:, t, :, row, column] / 35
                expected[:, :4] += place
                expected[:, 4:8] += place * (-1 + 2 * row / 4)
                expected[:, 8:12] += place * (-1 + 2 * column / 6)
        expected[:, 12] = t - 1
        assert torch.allclose(y[:, t], expected, atol=1e-6)


def test_going_left_and_going_right_differ_in_a_sum_over_frames() -> None:
    film = torch.zeros(1, 4, 1, 3, 4)
    for t in range(4):
        film[0, t, 0, 1, t] = 1
    there, back = Moments()(film), Moments()(film.flip(1))
    assert torch.equal(there[0, :, 1], back[0, :, 1])  # it stays in its row
    assert torch.allclose(there[0, :, 2], -back[0, :, 2])
    sums = [(y[..., :-1] * y[..., -1:]).sum(1) for y in (there, back)]  # as attention may
    assert (sums[0] - sums[1]).abs().max() > 0.1
