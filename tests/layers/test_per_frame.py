"""Ordinary modules, frame by frame."""

import pytest
import torch
from torch import nn

from unrolled.errors import ConfigError
from unrolled.layers import Linear, PerFrame, Serial


def test_every_frame_is_treated_as_it_would_be_alone() -> None:
    conv = nn.Conv2d(3, 5, kernel_size=3, stride=2).double()
    x = torch.randn(2, 7, 3, 11, 13, dtype=torch.float64)
    y, _ = PerFrame(conv)(x)
    for t in range(7):
        assert (y[:, t] - conv(x[:, t])).abs().max() <= 1e-12


def test_a_frame_may_become_a_vector_and_a_number() -> None:
    head = nn.Sequential(nn.Flatten(), nn.Linear(30, 1), nn.Flatten(0))
    assert PerFrame(head)(torch.randn(2, 7, 2, 3, 5))[0].shape == (2, 7)


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3)), "BatchNorm2d takes its statistics"),
        (nn.SyncBatchNorm(3), "SyncBatchNorm takes its statistics"),
        (nn.Sequential(nn.Dropout2d(0.1)), "Dropout2d draws its masks"),
        (nn.AlphaDropout(0.1), "AlphaDropout draws its masks"),
        (nn.MultiheadAttention(4, 2, dropout=0.1), "MultiheadAttention draws its masks"),
        (nn.RReLU(), "RReLU draws its masks"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_breaks_the_law_in_training_is_declared(module: nn.Module, reason: str) -> None:
    layer = PerFrame(module)
    assert str(layer.supports.training).startswith(reason)
    assert Serial(Linear(3, 3), layer).supports == layer.supports


@pytest.mark.parametrize(
    "module", [nn.ReLU(), nn.Dropout(0.0), nn.LayerNorm(3), nn.GroupNorm(1, 3)], ids=str
)
def test_what_keeps_it_is_not(module: nn.Module) -> None:
    assert PerFrame(module).supports.training is True


def test_the_declared_limit_is_a_real_one() -> None:
    layer, x = PerFrame(nn.BatchNorm1d(3)), torch.randn(2, 6, 3)
    first, _ = layer(x[:, :3])
    assert not torch.allclose(layer(x)[0][:, :3], first)


def test_what_mixes_frames_in_eval_or_needs_no_folding_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"every frame alone in eval.*BatchNorm2d without running"
    ):
        PerFrame(nn.Sequential(nn.BatchNorm2d(3, track_running_stats=False)))
    with pytest.raises(ConfigError, match="without time, got Linear; use it as it is"):
        PerFrame(Linear(3, 5))
