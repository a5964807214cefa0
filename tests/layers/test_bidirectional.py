"""The bidirectional layer against torch.nn.LSTM(bidirectional=True)."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from unrolled.cells import LSTM
from unrolled.errors import ConfigError
from unrolled.layers import Bidirectional, CausalConv1d
from unrolled.recurrence import Recurrence


def pair(num_layers: int) -> tuple[list[Bidirectional], nn.LSTM]:
    """Return a stack of ours and torch's, of the same weights."""
    theirs = nn.LSTM(3, 5, num_layers, batch_first=True, bidirectional=True).double()
    ours = []
    for level in range(num_layers):
        size = 3 if level == 0 else 10
        layer = Bidirectional(LSTM(size, 5), LSTM(size, 5)).double()
        for cell, suffix in ((layer.forward_layer, ""), (layer.backward_layer, "_reverse")):
            weights = {n: getattr(theirs, f"{n}_l{level}{suffix}") for n in cell.state_dict()}
            cell.load_state_dict(weights)
        ours.append(layer)
    return ours, theirs


@pytest.mark.parametrize("num_layers", [1, 2])
def test_it_is_torchs(num_layers: int) -> None:
    ours, theirs = pair(num_layers)
    x = torch.randn(2, 7, 3, dtype=torch.float64)
    expected, (h, c) = theirs(x)
    y = x
    for layer in ours:
        y, (ahead, back) = layer(y)
    assert (y - expected).abs().max() <= 1e-12
    assert (torch.stack([ahead.h, back.h]) - h[-2:]).abs().max() <= 1e-12
    assert (torch.stack([ahead.c, back.c]) - c[-2:]).abs().max() <= 1e-12


@pytest.mark.parametrize("num_layers", [1, 2])
def test_ragged_rows_are_torchs_packed_sequences(num_layers: int) -> None:
    ours, theirs = pair(num_layers)
    lengths = torch.tensor([4, 7, 1])
    x = torch.randn(3, 7, 3, dtype=torch.float64, requires_grad=True)
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    packed_y, (h, _) = theirs(packed)
    expected, _ = pad_packed_sequence(packed_y, batch_first=True)
    y = x
    for layer in ours:
        y, (ahead, back) = layer(y, lengths=lengths)
    assert (y - expected).abs().max() <= 1e-12
    assert (torch.stack([ahead.h, back.h]) - h[-2:]).abs().max() <= 1e-12
    weigh = torch.randn_like(y)
    (gradient,) = torch.autograd.grad((y * weigh).sum(), x)
    (wanted,) = torch.autograd.grad((expected * weigh).sum(), x)
    assert (gradient - wanted).abs().max() <= 1e-12


def test_garbage_in_the_padding_stays_there() -> None:
    (layer,), _ = pair(1)
    x, lengths = torch.randn(2, 5, 3, dtype=torch.float64), torch.tensor([3, 0])
    expected, _ = layer(x, lengths=lengths)
    spoiled = x.clone()
    spoiled[0, 3:] = torch.nan
    spoiled[1] = torch.nan
    y, _ = layer(spoiled, lengths=lengths)
    assert torch.equal(y, expected)
    assert not y[1].any()


def test_it_does_not_pretend_to_stream() -> None:
    assert not issubclass(Bidirectional, Recurrence)
    assert "cannot stream" in Bidirectional.__doc__.splitlines()[0]
    with pytest.raises(ConfigError, match="layers of stride 1, whose steps meet, got stride=2"):
        Bidirectional(LSTM(3, 5), CausalConv1d(3, 5, kernel_size=2, stride=2))
