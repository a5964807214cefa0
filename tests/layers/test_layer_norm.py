"""Layer normalisation against torch's."""

import pytest
import torch
from torch import nn

from unrolled.errors import ShapeError
from unrolled.layers import LayerNorm


def test_it_is_torchs_with_its_weights() -> None:
    layer, theirs = LayerNorm(7, eps=1e-3).double(), nn.LayerNorm(7, eps=1e-3).double()
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    theirs.load_state_dict(layer.state_dict())
    x = torch.randn(2, 5, 7, dtype=torch.float64)
    assert (layer(x)[0] - theirs(x)).abs().max() <= 1e-12


def test_every_step_has_mean_0_and_variance_1() -> None:
    y, _ = LayerNorm(101, eps=0.0).double()(3 + 5 * torch.randn(2, 5, 101, dtype=torch.float64))
    assert y.mean(-1).abs().max() <= 1e-12
    assert (y.var(-1, correction=0) - 1).abs().max() <= 1e-12


def test_another_size_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"C=7\], got \[2, 5, 6\]"):
        LayerNorm(7)(torch.randn(2, 5, 6))
