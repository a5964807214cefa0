"""ConvRNN and ConvGRU against the cells that they are at one pixel, and against torch's."""

import pytest
import torch
from torch import nn

from unrolled.cells import GRU, ConvGRU, ConvRNN
from unrolled.errors import ConfigError


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_on_one_pixel_a_conv_rnn_is_torchs_rnn(nonlinearity: str) -> None:
    conv = ConvRNN(5, 7, kernel_size=1, nonlinearity=nonlinearity).double()
    cell = nn.RNN(5, 7, nonlinearity=nonlinearity, batch_first=True).double()
    with torch.no_grad():
        cell.weight_ih_l0.copy_(conv.weight_ih[:, :, 0, 0])
        cell.weight_hh_l0.copy_(conv.weight_hh[:, :, 0, 0])
        cell.bias_ih_l0.copy_(conv.bias.normal_())
        cell.bias_hh_l0.zero_()
    x = torch.randn(3, 11, 5, dtype=torch.float64)
    y, _ = conv(x[..., None, None])
    assert (y[..., 0, 0] - cell(x)[0]).abs().max() <= 1e-12


@pytest.mark.parametrize("reset", ["before", "after"])
@pytest.mark.parametrize("update", ["write", "keep"])
def test_on_one_pixel_a_conv_gru_is_a_gru(reset: str, update: str) -> None:
    conv = ConvGRU(5, 7, kernel_size=1, reset=reset, update=update).double()
    for bias in (conv.bias_ih, conv.bias_hh):
        nn.init.normal_(bias)
    cell = GRU(5, 7, reset=reset, update=update).double()
    weights = {
        name: parameter[:, :, 0, 0] if parameter.ndim == 4 else parameter
        for name, parameter in conv.named_parameters()
    }
    cell.load_state_dict(weights)
    x = torch.randn(3, 11, 5, dtype=torch.float64)
    y, _ = conv(x[..., None, None])
    assert (y[..., 0, 0] - cell(x)[0]).abs().max() <= 1e-12
    if (reset, update) == ("after", "keep"):
        torchs = nn.GRU(5, 7, batch_first=True).double()
        torchs.load_state_dict({f"{name}_l0": value for name, value in weights.items()})
        assert (y[..., 0, 0] - torchs(x)[0]).abs().max() <= 1e-12


@pytest.mark.parametrize("cell", [ConvRNN, ConvGRU])
def test_they_move_with_their_input_and_take_any_frame_size(cell: type) -> None:
    conv = cell(1, 3)
    x = torch.zeros(1, 3, 1, 13, 13)
    x[..., 6, 6] = 1
    y, _ = conv(x)
    moved, _ = conv(x.roll((1, 2), (-2, -1)))
    inside = (..., slice(4, -4), slice(4, -4))
    assert torch.allclose(moved[inside], y.roll((1, 2), (-2, -1))[inside], atol=1e-6)
    assert conv(torch.randn(2, 4, 1, 5, 3))[0].shape == (2, 4, 3, 5, 3)


@pytest.mark.parametrize(
    ("cell", "options", "message"),
    [
        (ConvRNN, {"kernel_size": 4}, "an odd kernel_size, got 4"),
        (ConvRNN, {"nonlinearity": "sine"}, "nonlinearity to be 'tanh' or 'relu'"),
        (ConvGRU, {"reset": "never"}, "reset to be 'before' or 'after'"),
    ],
)
def test_impossible_options_are_refused(cell: type, options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        cell(2, 3, **options)
