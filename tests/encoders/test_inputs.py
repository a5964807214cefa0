"""What a network asks of its input is said in one line, with the cure."""

import pytest
import torch

from unrolled.encoders import C3D, S3D, VGG16, EarlyFusion, LateFusion, PlainCNN, ResNet18
from unrolled.errors import ConfigError, DtypeError, ShapeError


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((2, 3, 7, 16, 16), r"it looks like \[B, C, T, H, W\]: pass x.transpose\(1, 2\)"),
        ((2, 7, 16, 16, 3), r"it looks like \[..., H, W, C\]: pass x.movedim\(-1, -3\)"),
        ((2, 5, 1, 16, 16), r"pictures \[..., C=3, H, W\], got \[2, 5, 1, 16, 16\]$"),
        ((16, 16), r"got \[16, 16\]$"),
        ((3, 8, 16), "at least 16 x 16 pixels, got 8 x 16; resize the pictures"),
    ],
)
def test_pictures(shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        PlainCNN(width=2)(torch.zeros(shape))


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((2, 3, 7, 32, 32), r"it looks like \[B, C, T, H, W\]: pass x.transpose\(1, 2\)"),
        ((7, 3, 32, 32), r"it looks like one clip \[T, C, H, W\]: pass x\[None\]"),
        ((2, 3, 3, 32, 32), "clips of at least 5 frames, got T=3; sample longer clips"),
        ((2, 7, 3, 32, 16), "at least 17 x 17 pixels, got 32 x 16"),
    ],
)
def test_clips(shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        S3D(class_count=5, width=4)(torch.zeros(shape))


def test_integers_are_refused() -> None:
    with pytest.raises(DtypeError, match=r"torch.uint8; scale it first, as in x.float\(\) / 255"):
        ResNet18(width=2)(torch.zeros(2, 3, 16, 16, dtype=torch.uint8))


def test_the_smallest_sizes_do_and_one_less_does_not() -> None:
    vgg = VGG16(class_count=5, width=2, hidden_size=3).eval()
    assert vgg(torch.zeros(1, 3, 32, 32)).shape == (1, 5)
    s3d = S3D(class_count=5, width=4).eval()
    assert s3d(torch.zeros(1, 5, 3, 17, 17)).shape == (1, 5)


def test_clips_of_fixed_length() -> None:
    network = C3D(class_count=5, frame_pixels=32, width=2, hidden_size=3)
    with pytest.raises(ShapeError, match="16 frames of 32 x 32 pixels, got 17 of 32 x 32"):
        network(torch.zeros(1, 17, 3, 32, 32))
    for late in (
        LateFusion(class_count=5, clip_frames=7, width=2),
        EarlyFusion(class_count=5, clip_frames=7, width=2),
    ):
        with pytest.raises(ShapeError, match="clips of 7 frames, got T=8"):
            late(torch.zeros(1, 8, 3, 16, 16))


def test_sizes_that_no_network_has() -> None:
    with pytest.raises(ConfigError, match="class_count of at least 1, got 0"):
        ResNet18(class_count=0)
    with pytest.raises(ConfigError, match="at least 16 frames of 16 x 16 pixels"):
        C3D(clip_frames=8)


def test_any_axes_stand_in_front_of_a_picture() -> None:
    network = ResNet18(class_count=5, width=2).eval()
    assert network(torch.zeros(3, 32, 32)).shape == (5,)
    assert network(torch.zeros(2, 7, 11, 3, 32, 32)).shape == (2, 7, 11, 5)
    assert network.features(torch.zeros(7, 3, 32, 32)).shape == (7, 16)
