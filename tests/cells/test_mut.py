"""The three mutants against their equations."""

import pytest
import torch
from torch import Tensor

from tests.cells.parity import double
from unrolled.cells import MUT1, MUT2, MUT3, MUTState
from unrolled.errors import ConfigError


def mut1(cell: MUT1, x: Tensor, h: Tensor) -> Tensor:
    w_xz, w_xr = cell.weight_ih.chunk(2)
    w_hr, w_hh = cell.weight_hh.chunk(2)
    b_z, b_r, b_h = cell.bias.chunk(3)
    z = torch.sigmoid(x @ w_xz.T + b_z)
    r = torch.sigmoid(x @ w_xr.T + h @ w_hr.T + b_r)
    u = x if cell.weight_project is None else x @ cell.weight_project.T
    return torch.tanh((r * h) @ w_hh.T + torch.tanh(u) + b_h) * z + h * (1 - z)


def mut2(cell: MUT2, x: Tensor, h: Tensor) -> Tensor:
    w_xz, w_xh = cell.weight_ih.chunk(2)
    w_hz, w_hr, w_hh = cell.weight_hh.chunk(3)
    b_z, b_r, b_h = cell.bias.chunk(3)
    z = torch.sigmoid(x @ w_xz.T + h @ w_hz.T + b_z)
    u = x if cell.weight_project is None else x @ cell.weight_project.T
    r = torch.sigmoid(u + h @ w_hr.T + b_r)
    return torch.tanh((r * h) @ w_hh.T + x @ w_xh.T + b_h) * z + h * (1 - z)


def mut3(cell: MUT3, x: Tensor, h: Tensor) -> Tensor:
    w_xz, w_xr, w_xh = cell.weight_ih.chunk(3)
    w_hz, w_hr, w_hh = cell.weight_hh.chunk(3)
    b_z, b_r, b_h = cell.bias.chunk(3)
    z = torch.sigmoid(x @ w_xz.T + torch.tanh(h) @ w_hz.T + b_z)
    r = torch.sigmoid(x @ w_xr.T + h @ w_hr.T + b_r)
    return torch.tanh((r * h) @ w_hh.T + x @ w_xh.T + b_h) * z + h * (1 - z)


@pytest.mark.parametrize(
    ("cls", "input_size", "options", "naive"),
    [
        (MUT1, 7, {}, mut1),
        (MUT1, 5, {"project": True}, mut1),
        (MUT2, 7, {}, mut2),
        (MUT2, 5, {"project": True}, mut2),
        (MUT3, 5, {}, mut3),
    ],
)
def test_the_equations_written_out(cls, input_size, options, naive) -> None:
    cell = cls(input_size, 7, **options).double()
    x, h = double(3, 11, input_size), double(3, 7)
    y, state = cell(x, MUTState(h))
    for t in range(11):
        h = naive(cell, x[:, t], h)
        assert (y[:, t] - h).abs().max() <= 1e-12
    assert (state.h - h).abs().max() <= 1e-12


@pytest.mark.parametrize(("cls", "count"), [(MUT1, 40_300), (MUT2, 50_300), (MUT3, 60_300)])
def test_parameter_count(cls, count: int) -> None:
    # 4, 5 and 6 squares of 100 × 100, and three biases.
    assert sum(p.numel() for p in cls(100, 100).parameters()) == count


@pytest.mark.parametrize("cls", [MUT1, MUT2])
def test_an_input_of_another_size_needs_a_projection(cls) -> None:
    with pytest.raises(ConfigError, match="got 5 and 7; make them equal, or pass project=True"):
        cls(5, 7)
