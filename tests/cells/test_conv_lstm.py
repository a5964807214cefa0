"""ConvLSTM against the LSTM that it is at one pixel, and against its equations."""

import pytest
import torch

from unrolled.cells import LSTM, ConvLSTM
from unrolled.errors import ConfigError


def test_on_one_pixel_without_peepholes_it_is_an_lstm() -> None:
    conv = ConvLSTM(5, 7, kernel_size=1, peephole=False).double()
    cell = LSTM(5, 7).double()
    cell.load_state_dict(
        {
            "weight_ih": conv.weight_ih[:, :, 0, 0],
            "weight_hh": conv.weight_hh[:, :, 0, 0],
            "bias_ih": conv.bias,
            "bias_hh": torch.zeros_like(conv.bias),
        }
    )
    x = torch.randn(3, 11, 5, dtype=torch.float64)
    y, _ = conv(x[..., None, None])
    assert (y[..., 0, 0] - cell(x)[0]).abs().max() <= 1e-12


def test_peepholes_follow_the_paper() -> None:
    conv = ConvLSTM(2, 3).double()
    torch.nn.init.normal_(conv.weight_peephole)
    x_t = torch.randn(1, 2, 5, 7, dtype=torch.float64)
    state = type(conv.state_like(x_t))(*torch.randn(2, 1, 3, 5, 7, dtype=torch.float64))
    y_t, after = conv.step(x_t, state)

    def product(gate: int) -> torch.Tensor:
        rows = slice(3 * gate, 3 * gate + 3)
        of_x = torch.conv2d(x_t, conv.weight_ih[rows], conv.bias[rows], padding=1)
        return of_x + torch.conv2d(state.h, conv.weight_hh[rows], padding=1)

    peephole = conv.weight_peephole[:, None, :, None, None]
    i = torch.sigmoid(product(0) + peephole[0] * state.c)
    f = torch.sigmoid(product(1) + peephole[1] * state.c)
    c = f * state.c + i * torch.tanh(product(2))
    o = torch.sigmoid(product(3) + peephole[2] * c)
    assert (after.c - c).abs().max() <= 1e-12
    assert (y_t - o * torch.tanh(c)).abs().max() <= 1e-12


def test_one_module_serves_two_frame_sizes() -> None:
    conv = ConvLSTM(2, 3)
    for height, width in ((5, 7), (11, 3)):
        y, state = conv(torch.randn(2, 4, 2, height, width))
        assert y.shape == (2, 4, 3, height, width)
        assert state.c.shape == (2, 3, height, width)


def test_it_moves_with_its_input() -> None:
    conv = ConvLSTM(1, 3)
    x = torch.zeros(1, 3, 1, 13, 13)
    x[..., 6, 6] = 1
    y, _ = conv(x)
    moved, _ = conv(x.roll((1, 2), (-2, -1)))
    inside = (slice(None), slice(None), slice(None), slice(4, -4), slice(4, -4))
    assert torch.allclose(moved[inside], y.roll((1, 2), (-2, -1))[inside], atol=1e-6)


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(ConfigError, match="an odd kernel_size, got 4"):
        ConvLSTM(2, 3, kernel_size=4)
