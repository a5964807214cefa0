"""The causal convolution over frames against torch's 3D convolution on padded clips."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unrolled.errors import ConfigError, ShapeError
from unrolled.layers import BatchNorm, CausalConv3d, CausalMaxPool, CausalMeanPool
from unrolled.streaming import Stream


@pytest.mark.parametrize(
    ("kernel_size", "spatial_stride", "dilation", "groups"),
    [
        ((3, 3, 3), 1, 1, 1),
        ((3, 1, 1), 1, 2, 1),
        ((2, 3, 5), 2, 3, 1),
        ((3, 3, 3), 2, 1, 4),
        ((1, 3, 3), 2, 1, 2),
    ],
)
def test_it_is_torchs_on_a_clip_padded_in_the_past(
    kernel_size: tuple[int, int, int], spatial_stride: int, dilation: int, groups: int
) -> None:
    options = {"dilation": dilation, "groups": groups}
    conv = CausalConv3d(
        4, 8, kernel_size=kernel_size, spatial_stride=spatial_stride, **options
    ).double()
    padding = (0, kernel_size[1] // 2, kernel_size[2] // 2)
    whole = nn.Conv3d(
        4,
        8,
        kernel_size,
        (1, spatial_stride, spatial_stride),
        padding,
        (dilation, 1, 1),
        groups,
    ).double()
    whole.load_state_dict(conv.state_dict())
    x = torch.randn(2, 9, 4, 7, 11, dtype=torch.float64)
    past = (kernel_size[0] - 1) * dilation
    expected = whole(F.pad(x.transpose(1, 2), (0, 0, 0, 0, past, 0))).transpose(1, 2)
    y, state = conv(x)
    assert y.shape == expected.shape
    assert (y - expected).abs().max() <= 1e-12
    assert torch.equal(state.frames, x[:, 9 - past :])


def test_rows_of_a_stream_are_close_to_their_solo_runs() -> None:
    conv, x = CausalConv3d(3, 5, kernel_size=(3, 3, 3)).eval(), torch.randn(4, 6, 3, 9, 7)
    together, alone = Stream(conv), Stream(conv)
    for x_t in x.unbind(1):
        y, solo = together.push(x_t), alone.push(x_t[2:3])
        assert (y[2:3] - solo).abs().max() <= 1e-6 * solo.abs().max()


def test_bad_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match="sizes of at least 1"):
        CausalConv3d(3, 5, kernel_size=(0, 3, 3))
    with pytest.raises(ConfigError, match=r"odd height and width.*give spatial_padding"):
        CausalConv3d(3, 5, kernel_size=(3, 2, 3))
    with pytest.raises(ConfigError, match="groups = 2 divides"):
        CausalConv3d(3, 4, kernel_size=(3, 3, 3), groups=2)
    with pytest.raises(ShapeError, match="C=3"):
        CausalConv3d(3, 5, kernel_size=(3, 3, 3))(torch.zeros(2, 4, 7, 8, 8))


@pytest.mark.parametrize("window", [1, 3, 20])
def test_pooling_over_a_window_is_that_of_its_frames(window: int) -> None:
    x = torch.randn(2, 11, 3, dtype=torch.float64)
    seen = [x[:, max(0, t - window + 1) : t + 1] for t in range(11)]
    highest, _ = CausalMaxPool(window)(x)
    mean, _ = CausalMeanPool(window)(x)
    assert torch.equal(highest, torch.stack([part.amax(1) for part in seen], dim=1))
    assert (mean - torch.stack([part.mean(1) for part in seen], dim=1)).abs().max() <= 1e-12


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(ConfigError, match="a window of at least 1 frame"):
        CausalMeanPool(0)


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_is_torchs(training: bool) -> None:
    ours, theirs = BatchNorm(3).train(training), nn.BatchNorm3d(3).train(training)
    x = torch.randn(2, 5, 3, 7, 4) * 3 + 1
    for _ in range(2):
        expected = theirs(x.transpose(1, 2)).transpose(1, 2)
        assert (ours(x)[0] - expected).abs().max() <= 1e-5
    for name, tensor in theirs.state_dict().items():
        assert torch.allclose(ours.state_dict()[name], tensor, rtol=1e-5, atol=1e-6), name
