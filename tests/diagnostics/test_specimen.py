"""Named networks with sizes chosen for them, and inputs made from what their classes say."""

from typing import NamedTuple

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from unrolled import registry
from unrolled.cells import LSTM, ConvLSTM
from unrolled.diagnostics import example_input, parse_options, specimen
from unrolled.errors import ConfigError
from unrolled.layers import CausalConv1d, CausalSelfAttention, Dropout, Embedding, Serial
from unrolled.recurrence import Recurrence


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (LSTM(5, 7), [2, 4, 5]),
        (ConvLSTM(3, 2), [2, 4, 3, 16, 16]),
        (CausalConv1d(5, 7, kernel_size=2), [2, 4, 5]),
        (CausalSelfAttention(6, 2, window=3), [2, 4, 6]),
        (Dropout(0.5), [2, 4, 8]),
        (Serial(Embedding(11, 5), LSTM(5, 7)), [2, 4]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_input_is_made_and_taken(module: Recurrence, shape: list[int]) -> None:
    x = example_input(module, 4, batch_size=2)
    assert list(x.shape) == shape
    module(x)


def test_an_input_of_named_parts_and_of_the_modules_dtype() -> None:
    class Views(NamedTuple):
        left: Float[Tensor, "B T C"]
        map: Float[Tensor, "B T C H W"]

    class Two(LSTM):
        def step(self, x_t: Views, state):
            return super().step(x_t.left, state)

    x = example_input(Two(5, 7).double(), 3)
    assert type(x) is Views
    assert x.map.shape == (1, 3, 5, 16, 16)
    assert x.left.dtype == torch.float64


def test_what_does_not_say_what_it_takes_is_refused() -> None:
    class Silent(Recurrence):
        def step(self, x_t, state):
            return x_t, state

    class Sizeless(Recurrence):
        def step(self, x_t: Float[Tensor, "B C"], state):
            return x_t, state

    with pytest.raises(ConfigError, match="an annotation such as"):
        example_input(Silent(), 3)
    with pytest.raises(ConfigError, match="the size of axis C"):
        example_input(Sizeless(), 3)


def test_sizes_are_chosen_where_none_is_given() -> None:
    found = specimen("lstm", {"hidden_size": 5, "bias": False})
    assert found.module.hidden_size == 5
    assert found.module.bias_ih is None
    assert found.chosen == ["input_size"]
    assert not found.module.training


def test_a_size_that_is_not_known_is_asked_for(monkeypatch) -> None:
    class Odd(LSTM):
        def __init__(self, petals: int) -> None:
            super().__init__(petals, petals)

    monkeypatch.setattr(registry, "_REGISTERED", {"odd": Odd})
    with pytest.raises(ConfigError, match=r"petals for 'odd', got none; pass --set petals=VALUE"):
        specimen("odd", {})
    assert specimen("odd", {"petals": 3}).module.input_size == 3


def test_options_are_read_as_literals_or_words() -> None:
    found = parse_options(["a-b=3", "c=0.5", "d=None", "e=[1, 2]", "f=lstm", "g=a=b"])
    assert found == {"a_b": 3, "c": 0.5, "d": None, "e": [1, 2], "f": "lstm", "g": "a=b"}
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        parse_options(["hidden_size"])
