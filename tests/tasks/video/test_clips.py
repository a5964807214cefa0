"""Clips for training and testing: places, parts, pieces, and the same draws after a resume."""

import dataclasses

import pytest
import torch

from tests.tasks.video.clips import FRAMES, READING, SIZE, samples
from unrolled.tasks.video.clips import ClipBatches, Clips, hold, starts
from unrolled.tasks.video.keeping import kept_for
from unrolled.tasks.video.options import VideoOptions


def clips(reading: VideoOptions = READING) -> Clips:
    data, preprocessing = kept_for(samples(), reading)
    return Clips(data, preprocessing, reading.clip_frames)


def test_test_clips_lie_from_end_to_end_each_once() -> None:
    assert starts(10, 4, 3) == [0, 3, 6]
    assert starts(5, 4, 10) == [0, 1]
    assert starts(3, 4, 10) == [0]


def test_past_the_end_the_last_frame_stands_still() -> None:
    assert hold(1, 1.0, 5, 4).tolist() == [1, 2, 3, 3, 3]


def test_views_are_cut_by_hand() -> None:
    stored = clips().stored(2)  # 7 frames; a frame is 9 x 11, brought to 8 x 9
    assert stored.shape == (7, 3, SIZE, 9)
    views = clips().views(2, clips=2, crops=2)
    assert views.shape == (4, FRAMES, 3, SIZE, SIZE)
    expected = (stored[2:7, ..., 1:9] / 255 - 0.5) / 0.25
    assert torch.equal(views[3], expected)


def test_an_epoch_has_every_sample_once_in_an_order_of_its_own() -> None:
    batches = ClipBatches(clips(), range(10), READING, batch_size=4, window=64, seed=3)
    orders = []
    for epoch in (0, 1, 0):
        batches.begin_epoch(epoch)
        assert [len(chunk.target) for chunk in batches] == [4, 4, 2]
        orders.append(torch.cat([chunk.x.flatten(1) for chunk in batches]).sum(1).tolist())
    assert orders[0] == orders[2] != orders[1]
    assert sorted(orders[0]) == pytest.approx(sorted(orders[1]), rel=0.5)


@pytest.mark.parametrize("change", [{"crop": True}, {"flip": True}, {"time_jitter": 0.5}])
def test_what_is_drawn_depends_on_seed_epoch_and_sample_alone(change: dict) -> None:
    reading = dataclasses.replace(READING, **change)
    one, other = (
        ClipBatches(clips(reading), range(10), reading, batch_size=size, window=64, seed=3)
        for size in (10, 10)
    )
    plain = ClipBatches(clips(reading), range(10), reading.still, batch_size=10, window=64, seed=3)
    assert torch.equal(one[0].x, other[0].x)
    assert not torch.equal(one[0].x, plain[0].x)
    first = one[0].x
    one.begin_epoch(1)
    assert not torch.equal(one[0].x.sum((1, 2, 3, 4)).sort()[0], first.sum((1, 2, 3, 4)).sort()[0])


def test_a_clip_longer_than_the_window_comes_in_pieces() -> None:
    batches = ClipBatches(clips(), range(4), READING, batch_size=4, window=2, seed=0)
    whole = ClipBatches(clips(), range(4), READING, batch_size=4, window=64, seed=0)
    assert [chunk.fresh for chunk in batches] == [True, False, False]
    assert torch.equal(torch.cat([chunk.x for chunk in batches], 1), whole[0].x)
