"""What the probe says: of a network whose gradients are known."""

import pytest
import torch
from torch import nn

from unrolled.layers import Linear
from unrolled.recurrence import Recurrence
from unrolled.reports import probe_gradients
from unrolled.reports.gradients import meaning_of


class Fading(Recurrence):
    """h' = rho h + x."""

    def __init__(self, rho: float) -> None:
        super().__init__()
        self.rho = nn.Parameter(torch.tensor(rho))

    def initial_state(self, batch_size):
        return self.zeros(batch_size, 3)

    def step(self, x_t, h):
        h = self.rho * h + x_t
        return h, h


def test_a_fading_memory_is_seen_to_fade() -> None:
    found = probe_gradients(Fading(0.5), torch.zeros(2, 20, 3), lambda y: y[:, -1].sum())
    assert found.losses == pytest.approx([0.5**lag for lag in found.lags])
    assert found.gains == pytest.approx([0.5**lag for lag in found.lags])
    assert [lag for lag, _, _ in found.rows] == [0, 1, 2, 4, 8, 16, 20]
    # 0.5^6 = 0.0156, 0.5^7 = 0.0078
    assert "vanishes: 7 steps back" in found.meaning


def test_what_each_kind_of_gradient_means() -> None:
    assert "lives on: 2 steps back, 50% of it" in meaning_of([1.0, 0.1, 0.5])
    assert "explodes: 1 steps back it is 20 times" in meaning_of([1.0, 20.0, 0.5])


def test_without_a_state_or_a_gradient_there_is_nothing_to_say() -> None:
    x = torch.zeros(2, 4, 3)
    assert probe_gradients(Linear(3, 5), x, lambda y: y[:, -1].sum()) is None
    assert probe_gradients(Fading(0.5), x, lambda y: 0 * y[:, -1].sum()) is None
    assert probe_gradients(Fading(1e30), x, lambda y: y[:, -1].sum()) is None, "it overflows"
