"""Convolutions of single frames, natively, against torch's own."""

import pytest
import torch
from torch import Tensor

from tests.kernels.machines import choose, every_isa
from unrolled.kernels import naive
from unrolled.kernels.frames import ChannelGate, DepthwiseTaps, PointwiseProduct

# Rows, channels, height and width; taps in time, height and width; stride, padding.
CASES = [
    (2, 5, 7, 9, 3, 3, 3, 1, (1, 1)),
    (1, 33, 8, 8, 3, 3, 3, 2, (1, 1)),
    (1, 16, 5, 5, 5, 1, 1, 1, (0, 0)),
    (2, 3, 4, 11, 2, 5, 7, 3, (2, 3)),
    (3, 40, 2, 2, 1, 3, 3, 1, (1, 1)),
    (1, 4, 3, 3, 2, 3, 5, 1, (0, 4)),  # every place sees a border
    (1, 17, 13, 23, 1, 1, 3, 2, (0, 0)),
    (1, 54, 6, 12, 3, 3, 3, 1, (1, 1)),  # blocks within the borders; channels overlap
    (1, 24, 3, 10, 2, 3, 3, 1, (0, 2)),
    (1, 49, 4, 7, 1, 2, 2, 2, (1, 1)),
]


def frame(*shape: int) -> Tensor:
    return torch.randn(shape).contiguous(memory_format=torch.channels_last)


@every_isa
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("rectifies", [False, True])
@pytest.mark.parametrize("has_bias", [False, True])
def test_a_depthwise_convolution_is_torchs(case, rectifies, has_bias, isa, monkeypatch) -> None:
    choose(isa, monkeypatch)
    rows, channels, height, width, taps, high, wide, stride, padding = case
    frames = [frame(rows, channels, height, width) for _ in range(taps)]
    weight = torch.randn(channels, 1, taps, high, wide)
    bias = torch.randn(channels) if has_bias else None
    size = (rows, height, width)
    native = DepthwiseTaps(weight, bias, size, stride=stride, padding=padding)
    found = native(frames, rectifies=rectifies)
    expected = naive.depthwise(frames, weight, bias, stride, padding, rectifies=rectifies)
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-5)
    whole = torch.nn.functional.conv3d(
        torch.stack(frames, dim=2), weight, bias, (1, stride, stride), (0, *padding), 1, channels
    )[:, :, 0]
    assert torch.allclose(found, whole.relu() if rectifies else whole, rtol=1e-5, atol=1e-5)
    for old in frames[:-1]:  # read where they lie, at every call
        old.zero_()
    alone = naive.depthwise(frames, weight, bias, stride, padding, rectifies=rectifies)
    assert torch.allclose(native(frames, rectifies=rectifies), alone, rtol=1e-5, atol=1e-5)


@every_isa
def test_a_depthwise_convolution_is_the_same_on_two_threads(isa, monkeypatch) -> None:
    choose(isa, monkeypatch)
    x, weight = frame(1, 96, 61, 47), torch.randn(96, 1, 1, 3, 3)
    native = DepthwiseTaps(weight, None, (1, 61, 47), stride=1, padding=(1, 1))
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(native([x], rectifies=False))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


@every_isa
@pytest.mark.parametrize("adds", [False, True])
@pytest.mark.parametrize("rectifies", [False, True])
@pytest.mark.parametrize("has_bias", [False, True])
def test_a_convolution_of_one_place_is_torchs(adds, rectifies, has_bias, isa, monkeypatch) -> None:
    choose(isa, monkeypatch)
    x, other = frame(2, 7, 3, 5), frame(2, 11, 3, 5)
    weight, bias = torch.randn(7, 11), torch.randn(11) if has_bias else None
    native = PointwiseProduct(weight, bias, 30, adds=adds, rectifies=rectifies)
    expected = torch.nn.functional.conv2d(x, weight.T[:, :, None, None], bias)
    expected = expected + other if adds else expected
    found = native(x, other if adds else None)
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(found, expected.relu() if rectifies else expected, rtol=1e-5, atol=1e-5)


@every_isa
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("swishes", [False, True])
@pytest.mark.parametrize("adds", [False, True])
def test_a_gate_and_a_swish_come_before_the_product(gated, swishes, adds, isa, monkeypatch) -> None:
    choose(isa, monkeypatch)
    x, other = frame(1, 37, 3, 5), frame(1, 11, 3, 5)
    weight, gate = torch.randn(37, 11), torch.rand(1, 37) if gated else None
    native = PointwiseProduct(
        weight, None, 15, adds=adds, rectifies=False, gated=gated, swishes=swishes
    )
    before = x if gate is None else x * gate[:, :, None, None]
    before = torch.nn.functional.silu(before) if swishes else before
    expected = torch.nn.functional.conv2d(before, weight.T[:, :, None, None])
    expected = expected + other if adds else expected
    found = native(x.clone(), other if adds else None, gate)
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-5)


@every_isa
def test_a_gate_looks_at_all_places_of_the_picture_it_is_given(isa, monkeypatch) -> None:
    choose(isa, monkeypatch)
    parameters = [torch.randn(shape) for shape in ((5, 33), (5,), (33, 5), (33,))]
    gate = ChannelGate(*parameters)
    squeeze, squeeze_bias, excite, excite_bias = parameters
    for x in (frame(1, 33, 4, 7), frame(1, 33, 4, 7)):
        inner = (squeeze @ x.mean((-2, -1))[0] + squeeze_bias).relu()
        expected = (excite @ inner + excite_bias).sigmoid()
        assert torch.allclose(gate(x), expected[None], rtol=1e-5, atol=1e-6)


@every_isa
def test_nan_goes_through_a_rectifier(isa, monkeypatch) -> None:
    choose(isa, monkeypatch)
    x = torch.full((1, 3, 1, 1), torch.nan)
    taps = DepthwiseTaps(torch.ones(3, 1, 1, 1, 1), None, (1, 1, 1), stride=1, padding=(0, 0))
    assert taps([x], rectifies=True).isnan().all()
    assert PointwiseProduct(torch.ones(3, 2), None, 1, adds=False, rectifies=True)(x).isnan().all()
