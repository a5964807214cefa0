"""Multiply-accumulates and parameters against formulas by hand."""

import copy

import pytest
import torch
from torch import nn

from unrolled import registry
from unrolled.cells import LSTM, ConvLSTM
from unrolled.diagnostics import census, example_features, example_input, specimen
from unrolled.diagnostics.network_input import takes_clips
from unrolled.layers import CausalConv1d, CausalSelfAttention, Dropout, Embedding, Linear, Serial
from unrolled.models import RecurrentLanguageModel, ShowAttendTell
from unrolled.recurrence import Recurrence


@pytest.mark.parametrize(
    ("module", "features", "macs"),
    [
        (LSTM(5, 7), (5,), 4 * 7 * (5 + 7)),
        (LSTM(300, 512, bias=False), (300,), 4 * 512 * (300 + 512)),
        (ConvLSTM(2, 3, kernel_size=5), (2, 7, 11), 4 * 3 * (2 + 3) * 25 * 7 * 11),
        (CausalConv1d(5, 7, kernel_size=3, dilation=4), (5,), 5 * 7 * 3),
        (CausalConv1d(5, 7, kernel_size=3, stride=2), (5,), 5 * 7 * 3),
        (Linear(5, 7), (5,), 5 * 7),
        (CausalSelfAttention(6, 2, window=11), (6,), 4 * 6 * 6 + 2 * 6 * 11),
        (Dropout(0.5).train(), (5,), 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_a_steps_products_are_those_of_the_formula(
    module: nn.Module, features: tuple[int, ...], macs: int
) -> None:
    x = torch.randn(3, 2 * module.stride, *features)
    assert census(module, x).macs == macs
    assert census(module, x).parameters == sum(p.numel() for p in module.parameters())


def test_a_language_model_layer_by_layer() -> None:
    model = RecurrentLanguageModel(11, embedding_size=3, hidden_size=5, num_layers=2, dropout=0.3)
    counted = census(model, torch.zeros(1, 1, dtype=torch.int64))
    rows = [(layer.name, layer.kind, layer.output, layer.macs) for layer in counted.layers]
    assert rows == [
        ("0", "Embedding", (3,), 0),
        ("1", "Dropout", (3,), 0),
        ("2", "LSTM", (5,), 4 * 5 * (3 + 5)),
        ("3", "Dropout", (5,), 0),
        ("4", "LSTM", (5,), 4 * 5 * (5 + 5)),
        ("5", "Dropout", (5,), 0),
        ("6", "Linear", (11,), 5 * 11),
    ]
    # Two LSTMs of two leaves of five float32, and three dropouts of two int64.
    assert counted.state_bytes == 2 * 2 * 5 * 4 + 3 * 2 * 8
    assert counted.macs_once == 0


def test_a_decoder_counts_its_memory_and_its_beginning_once() -> None:
    V, C, E, D, A, L = 11, 7, 3, 5, 2, 13
    decoder = ShowAttendTell(V, C, embedding_size=E, hidden_size=D, attention_size=A)
    counted = census(decoder, torch.zeros(1, 1, dtype=torch.int64), torch.randn(2, L, C))
    looking = D * A + L * A + L * C + D  # query, scores, the weighted sum, the gate
    saying = 4 * D * (E + C + D) + D * E + C * E + E * V
    assert counted.macs == looking + saying
    assert counted.macs_once == L * C * A + 2 * C * D
    assert counted.parameters == sum(p.numel() for p in decoder.parameters())


def test_a_strided_network_is_counted_by_the_block() -> None:
    model = Serial(CausalConv1d(3, 5, kernel_size=2, stride=2), LSTM(5, 7))
    counted = census(model, torch.randn(1, 4, 3))
    assert [layer.output for layer in counted.layers] == [(5,), (7,)]
    assert counted.macs == 3 * 5 * 2 + 4 * 7 * (5 + 7)


@pytest.mark.parametrize(
    ("module", "x", "macs"),
    [
        (nn.LSTM(3, 5, batch_first=True), (1, 4, 3), 4 * 4 * 5 * 8),
        (nn.GRU(3, 5, batch_first=True), (1, 4, 3), 4 * 3 * 5 * 8),
        (nn.RNN(3, 5, num_layers=2, batch_first=True), (1, 4, 3), 4 * (5 * 8 + 5 * 10)),
        (nn.Conv2d(3, 8, 3, padding=1, bias=False), (1, 3, 7, 5), 3 * 8 * 9 * 7 * 5),
        (nn.Conv2d(6, 6, 3, padding=1, groups=6), (1, 6, 7, 5), 6 * 9 * 7 * 5),
        (
            nn.TransformerEncoderLayer(6, 2, 8, batch_first=True).eval(),
            (1, 3, 6),
            3 * 4 * 36 + 2 * 3 * 3 * 6 + 2 * 3 * 6 * 8,
        ),
    ],
    ids=["LSTM", "GRU", "RNN", "Conv2d", "depthwise", "TransformerEncoderLayer"],
)
def test_torchs_own_modules_hide_nothing_in_fused_kernels(
    module: nn.Module, x: tuple[int, ...], macs: int
) -> None:
    assert census(module, torch.randn(x)).macs == macs


def test_shared_weights_are_counted_once_and_their_products_each_time() -> None:
    embedding, readout = Embedding(11, 5), Linear(5, 11, bias=False)
    readout.weight = embedding.weight
    counted = census(Serial(embedding, readout), torch.zeros(1, 1, dtype=torch.int64))
    assert counted.parameters == 55
    assert counted.macs == 55


def test_the_module_is_left_as_it_was() -> None:
    module = Serial(Linear(3, 5), nn_batch := Dropout(0.5), LSTM(5, 7)).train()
    before = copy.deepcopy(module.state_dict())
    census(module, torch.randn(2, 4, 3))
    assert nn_batch.training
    assert "step" not in vars(module)
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])


# Those that label clips are counted over a clip, see test_anatomy.
RECURRENCES = [
    name
    for name in registry.names()
    if issubclass(cls := registry.lookup(name), Recurrence) and not takes_clips(cls)
]


@pytest.mark.parametrize("name", RECURRENCES)
def test_every_named_network_can_be_counted(name: str) -> None:
    module = specimen(name, {}).module
    counted = census(module, example_input(module, module.stride), example_features(module))
    assert counted.parameters == sum(p.numel() for p in module.parameters())
    # Who has no weights, as a model that only counts, multiplies nothing.
    assert (counted.macs > 0) == (counted.parameters > 0)
