"""Receptive fields by probe against their formulas; and what looks ahead."""

import pytest
import torch
from torch import nn

from unrolled.cells import LSTM
from unrolled.diagnostics import (
    influence,
    looks_ahead,
    probe_receptive_field,
    receptive_field,
)
from unrolled.errors import ConfigError
from unrolled.layers import CausalConv1d, CausalSelfAttention, Linear, Serial
from unrolled.models import RecurrentLanguageModel, ShowAttendTell
from unrolled.recurrence import Recurrence


def stack(kernel_size: int, num_layers: int) -> Serial:
    layers = [CausalConv1d(2, 2, kernel_size=kernel_size, dilation=2**i) for i in range(num_layers)]
    return Serial(*layers).double()


@pytest.mark.parametrize(
    ("kernel_size", "num_layers", "span"), [(2, 12, 4096), (2, 3, 8), (3, 4, 31), (1, 4, 1)]
)
def test_dilated_convolutions_follow_the_formula(
    kernel_size: int, num_layers: int, span: int
) -> None:
    assert span == 1 + (kernel_size - 1) * (2**num_layers - 1)
    x = torch.randn(1, span + 7, 2, dtype=torch.float64)
    field = receptive_field(stack(kernel_size, num_layers), x)
    assert (field.span, field.bounded, field.blind) == (span, True, 0)


def test_blind_spots_are_counted() -> None:
    field = receptive_field(CausalConv1d(2, 2, kernel_size=3, dilation=4), torch.randn(1, 20, 2))
    assert field.lags == [0, 4, 8]
    assert (field.span, field.blind) == (9, 6)


def test_an_lstm_sees_all_there_is() -> None:
    field = receptive_field(LSTM(2, 5), torch.randn(1, 60, 2))
    assert field.lags == list(range(60))
    assert not field.bounded


def test_a_gradient_that_fades_is_not_a_bound() -> None:
    cell = LSTM(2, 5, forget_bias=-5.0)
    field = receptive_field(cell, torch.randn(1, 60, 2))
    assert field.span < 60, "this case asks for a gradient that float32 cannot hold"
    assert field.fades
    assert not field.bounded


def test_attention_sees_its_window() -> None:
    layer = CausalSelfAttention(6, 2, window=5).double()
    assert receptive_field(layer, torch.randn(1, 17, 6, dtype=torch.float64)).span == 5


def test_a_stride_is_counted_from_the_step_that_is_computed() -> None:
    conv = CausalConv1d(2, 2, kernel_size=3, dilation=2, stride=2)
    field = receptive_field(conv, torch.randn(1, 12, 2))
    assert field.lags == [0, 2, 4]


def test_tokens_are_probed_through_their_embedding() -> None:
    model = RecurrentLanguageModel(11, embedding_size=3, hidden_size=5)
    assert receptive_field(model, torch.randint(11, (1, 9))).lags == list(range(9))
    decoder = ShowAttendTell(11, 5, embedding_size=3, hidden_size=7, attention_size=2)
    bound = decoder.given(decoder.remember(torch.randn(1, 13, 5)))  # a loop over steps
    assert receptive_field(bound, torch.randint(11, (1, 9))).lags == list(range(9))
    assert influence(bound, torch.randint(11, (1, 9)), 4).nonzero().flatten().tolist() == [
        *range(5)
    ]


def test_tokens_that_no_embedding_looks_up_are_refused() -> None:
    class Parity(Recurrence):
        def scan(self, x, state):
            return (x % 2).float(), state

    with pytest.raises(ConfigError, match=r"looked up by F\.embedding"):
        influence(Parity(), torch.randint(11, (1, 5)), -1)


def test_the_probe_grows_until_the_field_ends() -> None:
    lengths = []

    def input_of(num_steps: int) -> torch.Tensor:
        lengths.append(num_steps)
        return torch.randn(1, num_steps, 2, dtype=torch.float64)

    field = probe_receptive_field(stack(2, 5), input_of, max_steps=1000)
    assert (field.span, field.bounded, lengths) == (32, True, [16, 32, 64])
    lengths.clear()
    field = probe_receptive_field(LSTM(2, 5).double(), input_of, max_steps=50)
    assert (field.num_steps, field.bounded, lengths) == (50, False, [16, 32, 50])


def test_a_causal_module_does_not_look_ahead_and_a_bidirectional_one_does() -> None:
    x = torch.randn(2, 6, 3)
    conv = CausalConv1d(3, 3, kernel_size=2)
    for module in (LSTM(3, 5), conv, Serial(conv, Linear(3, 2))):
        assert looks_ahead(module, x) == []
    both = looks_ahead(nn.GRU(3, 5, batch_first=True, bidirectional=True), x)
    assert both == [(step, later) for step in range(6) for later in range(step + 1, 6)]


def test_a_block_may_see_itself_and_no_later_block() -> None:
    class BlockMean(Recurrence):
        stride = 2

        def scan(self, x, state):
            return x.unflatten(1, (-1, 2)).mean(dim=2), state

    class NextBlock(BlockMean):
        def scan(self, x, state):
            return x.unflatten(1, (-1, 2)).mean(dim=2).roll(-1, 1), state

    x = torch.randn(1, 4, 3)
    assert looks_ahead(BlockMean(), x) == []
    assert looks_ahead(NextBlock(), x) == [(0, 2), (0, 3)]
