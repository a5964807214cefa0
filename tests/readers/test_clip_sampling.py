"""Which frames a network is shown."""

import pytest
import torch
from torch import Generator

from unrolled.errors import ConfigError
from unrolled.readers.clip import Clip
from unrolled.readers.clip_sampling import (
    random_crop,
    random_start,
    spread_crops,
    spread_starts,
    stretch,
)


def test_every_place_comes_alike() -> None:
    generator = Generator().manual_seed(0)
    counts = torch.bincount(torch.tensor([random_start(19, 16, generator) for _ in range(4000)]))
    assert counts.tolist() == pytest.approx([1000] * 4, rel=0.15)
    assert random_start(5, 16, generator) == 0


@pytest.mark.parametrize(
    ("frames", "clip", "count", "starts"),
    [(26, 16, 3, [0, 5, 10]), (26, 16, 1, [5]), (16, 16, 2, [0, 0]), (3, 16, 2, [0, 0])],
)
def test_clips_cover_the_video(frames: int, clip: int, count: int, starts: list[int]) -> None:
    assert spread_starts(frames, clip, count) == starts


def test_past_the_end_the_last_frame_is_held() -> None:
    frames = torch.arange(5, dtype=torch.uint8).reshape(5, 1, 1, 1)
    clip = Clip(frames, torch.arange(5).double())
    assert stretch(clip, 3, 4).frames.flatten().tolist() == [3, 4, 4, 4]
    assert stretch(clip, 1, 2).pts_seconds.tolist() == [1, 2]


def test_crops() -> None:
    frames = torch.arange(4 * 9, dtype=torch.uint8).reshape(1, 1, 4, 9)
    left, middle, right = spread_crops(frames, 4, 3, 3)
    assert torch.equal(left, frames[..., :3])
    assert torch.equal(middle, frames[..., 3:6])
    assert torch.equal(right, frames[..., 6:])
    corners = spread_crops(frames, 2, 2, 5)[:, 0, 0, 0, 0].tolist()
    assert corners == [0, 7, 9 + 3, 18, 25]
    assert torch.equal(spread_crops(frames, 2, 3, 1)[0], frames[..., 1:3, 3:6])
    window = random_crop(frames, 4, 9, Generator())
    assert torch.equal(window, frames)


def test_what_cannot_be() -> None:
    frames = torch.zeros(1, 3, 4, 9, dtype=torch.uint8)
    with pytest.raises(ConfigError, match="1, 3 or 5 crops"):
        spread_crops(frames, 2, 2, 2)
    with pytest.raises(ConfigError, match="resize to a larger size first"):
        random_crop(frames, 5, 5, Generator())
    with pytest.raises(ConfigError, match="of at least 1"):
        spread_starts(9, 4, 0)
