"""MobileNetV2 and SqueezeNet 1.1: keys, padding, features, any axes in front."""

import pytest
import torch
from torch.nn import functional as F

from unrolled.encoders import MobileNetV2, SqueezeNet11
from unrolled.encoders.mobilenet_v2 import SameConv2d
from unrolled.errors import ShapeError


@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 9), (8, 11)])
def test_same_padding_is_tensorflows(height: int, width: int) -> None:
    conv, x = SameConv2d(2, 3), torch.randn(1, 2, height, width)
    missing = [max((-(-size // 2) - 1) * 2 + 3 - size, 0) for size in (height, width)]
    before = [all_ // 2 for all_ in missing]
    after = [all_ - first for all_, first in zip(missing, before, strict=True)]
    padded = F.pad(x, (before[1], after[1], before[0], after[0]))
    torch.testing.assert_close(conv(x), F.conv2d(padded, conv.weight, stride=2))


def test_keys_are_torchvisions() -> None:
    keys = set(MobileNetV2().state_dict())
    for key in (  # as in torchvision's mobilenet_v2
        "features.0.0.weight",
        "features.1.conv.0.1.running_var",
        "features.1.conv.1.weight",
        "features.2.conv.2.weight",
        "features.17.conv.3.bias",
        "features.18.1.num_batches_tracked",
        "classifier.1.bias",
    ):
        assert key in keys
    assert len(keys) == 314
    keys = set(SqueezeNet11().state_dict())
    for key in ("features.0.weight", "features.12.expand3x3.bias", "classifier.1.weight"):
        assert key in keys
    assert len(keys) == 52


@pytest.mark.parametrize("cls", [MobileNetV2, SqueezeNet11])
def test_a_clip_is_its_frames(cls) -> None:
    network = cls(class_count=5).eval()
    clip = torch.randn(2, 3, 3, 33, 47)
    with torch.no_grad():
        y, features = network(clip), network.features(clip)
        assert features.shape == (2, 3, network.feature_size)
        torch.testing.assert_close(y[1, 2], network(clip[1, 2]), atol=1e-5, rtol=1e-4)
    with pytest.raises(ShapeError, match="transpose"):
        network(clip.transpose(1, 2)[:, :, :2])
