"""What a network sees of a frame: sizes by torchvision's rule, pixels by Pillow and by hand."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from unrolled.errors import ConfigError, DtypeError, ReaderError, ShapeError
from unrolled.tasks.video.preprocessing import Preprocessing

PLAIN = Preprocessing(height=11, width=13, mean=(0.0,) * 3, deviation=(1 / 255,) * 3)


def noise(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("height", "width", "side", "expected"),
    # torchvision: the shorter side becomes `side`, the longer int(side * longer / shorter)
    [(240, 320, 112, (112, 149)), (320, 240, 112, (149, 112)), (37, 37, 20, (20, 20))],
)
def test_the_shorter_side_is_brought_to_size(height, width, side, expected) -> None:
    preprocessing = Preprocessing(height=11, width=13, shorter_side=side)
    assert preprocessing.size_before_cutting(height, width) == expected


def test_without_a_shorter_side_a_frame_becomes_as_small_as_it_may() -> None:
    assert PLAIN.size_before_cutting(240, 320) == (11, 14)
    assert PLAIN.size_before_cutting(320, 240) == (17, 13)


def test_pixels_are_torch_s_antialiased_bilinear_and_nearly_pillow_s() -> None:
    frames = noise(2, 3, 47, 33)
    preprocessing = dataclasses.replace(PLAIN, resize="stretch")
    seen = preprocessing(frames).round().to(torch.uint8)
    resized = F.interpolate(frames, size=(11, 13), mode="bilinear", antialias=True)
    assert torch.equal(seen, resized)
    pictures = [Image.fromarray(frame.permute(1, 2, 0).numpy()) for frame in frames]
    pillow = np.stack([p.resize((13, 11), Image.Resampling.BILINEAR) for p in pictures])
    off = (seen.permute(0, 2, 3, 1).int() - torch.from_numpy(pillow).int()).abs()
    assert off.max() <= 1
    assert (off > 0).float().mean() < 0.01


def test_the_middle_is_cut_out_and_other_corners_lie_evenly() -> None:
    frames = noise(2, 3, 11, 29)
    middle = dataclasses.replace(PLAIN, resize="none")(frames)
    assert torch.equal(middle.round().to(torch.uint8), frames[..., 8:21])
    assert PLAIN.corners(11, 29, 3) == [(0, 0), (0, 8), (0, 16)]


def test_values_are_scaled_by_hand_and_channels_turned_round() -> None:
    frames = noise(1, 3, 5, 7)
    preprocessing = Preprocessing(
        5, 7, resize="none", mean=(0.1, 0.2, 0.3), deviation=(0.5, 0.25, 2.0), channels="bgr"
    )
    x = preprocessing(frames)
    red, green, blue = frames[0].double() / 255
    expected = torch.stack([(blue - 0.1) / 0.5, (green - 0.2) / 0.25, (red - 0.3) / 2.0])
    assert torch.allclose(x[0].double(), expected, atol=1e-6)


def test_a_file_brings_it_back() -> None:
    preprocessing = Preprocessing(height=5, width=7, frames_per_second=12.5, resize="stretch")
    assert Preprocessing.of(json.loads(json.dumps(preprocessing.figures()))) == preprocessing


@pytest.mark.parametrize(
    "change",
    [{"height": "many"}, {"resize": "x"}, {"deviation": [0, 1, 1]}, {"code": "os"}, {"mean": 3}],
)
def test_a_stranger_s_file_is_checked(change: dict) -> None:
    with pytest.raises(ReaderError, match="the preprocessing of a model"):
        Preprocessing.of(PLAIN.figures() | change)


def test_other_layouts_are_refused_with_the_cure() -> None:
    with pytest.raises(ShapeError, match=r"call frames.transpose\(0, 1\)"):
        PLAIN(noise(3, 8, 20, 20))
    with pytest.raises(ShapeError, match=r"call frames.permute\(0, 3, 1, 2\)"):
        PLAIN(noise(8, 20, 20, 3))
    with pytest.raises(DtypeError, match="uint8"):
        PLAIN(torch.zeros(8, 3, 20, 20))
    with pytest.raises(ConfigError, match="shorter_side of at least 11"):
        dataclasses.replace(PLAIN, shorter_side=4)
