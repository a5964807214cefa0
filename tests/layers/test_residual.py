"""The way around a layer."""

import pytest
import torch
from torch import nn

from unrolled.cells import LSTM
from unrolled.errors import ConfigError, ShapeError
from unrolled.layers import CausalConv1d, Dropout, Linear, PerFrame, Residual, Serial
from unrolled.models import ShowAttendTell


def test_it_adds_what_the_layer_gives() -> None:
    layer, skip = LSTM(5, 7), Linear(5, 7)
    x = torch.randn(2, 6, 5)
    y, state = Residual(layer, skip)(x)
    assert torch.equal(y, skip(x)[0] + layer(x)[0])
    assert torch.equal(state.layer.c, layer(x)[1].c)
    straight = LSTM(5, 5)
    assert torch.equal(Residual(straight)(x)[0], x + straight(x)[0])


@pytest.mark.parametrize("call", ["forward", "step", "step_"])
def test_other_sizes_are_refused_in_one_line(call: str) -> None:
    residual = Residual(Linear(5, 7))
    x = torch.randn(2, 3, 5)[(slice(None),) * (call == "forward") or (slice(None), 0)]
    with pytest.raises(ShapeError, match=r"5\], as what it is added to, got \[2.*7\]; let the lay"):
        getattr(residual, call)(x, residual.initial_state(2))


def test_a_broadcast_is_refused_too() -> None:
    with pytest.raises(ShapeError, match=r"\[2, 3, 5\], as what it is added to, got \[2, 3, 1\]"):
        Residual(Linear(5, 1))(torch.randn(2, 3, 5))


def test_a_stride_is_refused_with_its_reason() -> None:
    conv = CausalConv1d(3, 3, kernel_size=2, stride=2)
    for parts in ((conv,), (Linear(3, 3), conv)):
        with pytest.raises(ConfigError, match="as many steps as the y that it is added to, got st"):
            Residual(*parts)


def test_limits_of_both_ways_are_its_limits() -> None:
    limited = PerFrame(nn.BatchNorm1d(5))
    assert Residual(limited).supports == limited.supports
    assert Residual(Linear(5, 5), limited).supports == limited.supports
    assert Residual(Dropout(0.1)).supports.training is True


def test_a_context_goes_to_the_layers_inside() -> None:
    decoder = ShowAttendTell(11, 7, embedding_size=3, hidden_size=5, attention_size=2)

    class Logits(Linear):
        def scan(self, x, state):
            return super().scan(x.logits, state)

    nested = Residual(Serial(PerFrame(Tokens()), decoder, Logits(11, 1)))
    memory = decoder.remember(torch.randn(2, 13, 7))
    words = torch.randint(11, (2, 4, 1))
    y, _ = nested.given(memory)(words.float())
    inner, _ = decoder.given(memory)(words[..., 0])
    logits = nested.layer.layers[2]
    assert torch.allclose(y, words + logits(inner)[0])


class Tokens(nn.Module):
    """Make words of a column of floats."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[..., 0].long()
