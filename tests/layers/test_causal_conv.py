"""The causal convolution against torch's on padded input."""

import pytest
import torch
from torch.nn import functional as F

from unrolled.errors import ConfigError
from unrolled.layers import CausalConv1d


@pytest.mark.parametrize(
    ("kernel_size", "dilation", "stride"), [(1, 1, 1), (2, 4, 1), (3, 2, 2), (5, 1, 3)]
)
def test_it_is_a_convolution_padded_on_the_left(
    kernel_size: int, dilation: int, stride: int
) -> None:
    conv = CausalConv1d(3, 5, kernel_size=kernel_size, dilation=dilation, stride=stride).double()
    x = torch.randn(2, 12, 3, dtype=torch.float64)
    padded = F.pad(x.mT, ((kernel_size - 1) * dilation, 0))
    expected = F.conv1d(padded, conv.weight, conv.bias, stride=stride, dilation=dilation).mT
    y, _ = conv(x)
    assert y.shape == expected.shape
    assert (y - expected).abs().max() <= 1e-12


def test_it_sees_exactly_its_receptive_field() -> None:
    conv = CausalConv1d(3, 5, kernel_size=3, dilation=4)
    x = torch.randn(1, 20, 3, requires_grad=True)
    y, _ = conv(x)
    (gradient,) = torch.autograd.grad(y[0, 15].sum(), x)
    assert gradient.abs().sum(-1).nonzero()[:, 1].tolist() == [7, 11, 15]


@pytest.mark.parametrize("option", ["kernel_size", "dilation", "stride"])
def test_sizes_below_one_are_refused(option: str) -> None:
    with pytest.raises(ConfigError, match=f"{option} = 0"):
        CausalConv1d(3, 5, **{"kernel_size": 2, option: 0})
