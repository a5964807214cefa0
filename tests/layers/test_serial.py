"""Layers in series."""

import jaxtyping
import pytest
import torch
from torch import nn

from unrolled.cells import LSTM, ConvLSTM
from unrolled.errors import ConfigError
from unrolled.layers import CausalConv1d, Dropout, Embedding, Linear, Serial
from unrolled.recurrence import Recurrence, Supports


def test_nesting_changes_nothing() -> None:
    layers = (Embedding(11, 5), LSTM(5, 7), Linear(7, 3))
    x = torch.randint(11, (2, 6))
    flat, nested = Serial(*layers), Serial(layers[0], Serial(*layers[1:]))
    assert torch.equal(flat(x)[0], nested(x)[0])
    assert nested(x)[1][1][0].c.shape == (2, 7)


def test_strides_multiply() -> None:
    conv = Serial(
        CausalConv1d(3, 5, kernel_size=2, stride=2), CausalConv1d(5, 7, kernel_size=2, stride=3)
    )
    assert conv.stride == 6
    y, state = conv(torch.randn(2, 12, 3))
    assert y.shape == (2, 2, 7)
    assert conv.step(torch.randn(2, 6, 3), state)[0].shape == (2, 7)


def test_the_state_follows_the_frame_through_layers_that_change_it() -> None:
    class Halve(Recurrence):
        def scan(self, x, state):
            return x[..., ::2, ::2], state

    series = Serial(Halve(), ConvLSTM(2, 3))
    _, state = series(torch.randn(1, 4, 2, 10, 14))
    assert state[1].h.shape == (1, 3, 5, 7)


def test_limits_of_its_layers_are_its_limits() -> None:
    class Limited(Recurrence):
        supports = Supports(training="statistics of the batch")

        def scan(self, x, state):
            return x, state

    assert Serial(Dropout(0.1), Limited()).supports.training == "statistics of the batch"


def test_what_is_no_recurrence_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as outside of these tests
    with pytest.raises(ConfigError, match="a Recurrence as layer 1, got ReLU"):
        Serial(Linear(3, 5), nn.ReLU())
    with pytest.raises(ConfigError, match="at least one layer"):
        Serial()
