"""Clips joined with idle stretches: every frame has its label, and nothing is lost on the way."""

import random
from itertools import islice, pairwise
from pathlib import Path

import pytest
import torch

from unrolled.errors import ConfigError
from unrolled.readers.joined_clips import (
    gaps,
    hold_last,
    joined_clips,
    play_background,
    windows,
)
from unrolled.readers.video_items import VideoItem

LABELS = [0, 1, 2, 1, 0]
BACKGROUND = 3


def clip(number: int, _draws: random.Random) -> torch.Tensor:
    """Return number + 2 frames whose pixels say which clip and which frame they are."""
    return (100 * number + torch.arange(number + 2)).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)


def joined(seed: int = 0, **options):
    given = {"idle": hold_last, "idle_frames": (2, 4), "background": BACKGROUND} | options
    return joined_clips(clip, LABELS, seed=seed, **given)


def test_clips_and_idle_stretches_take_turns_and_each_clip_comes_once() -> None:
    stretches = list(islice(joined(), 10))
    assert [s.label == BACKGROUND for s in stretches] == [True, False] * 5
    numbers = [int(s.frames[0, 0, 0, 0]) // 100 for s in stretches[1::2]]
    assert sorted(numbers) == [0, 1, 2, 3, 4]
    for stretch, number in zip(stretches[1::2], numbers, strict=True):
        assert torch.equal(stretch.frames, clip(number, random.Random()))
        assert stretch.label == LABELS[number]
    assert all(2 <= len(s.frames) <= 4 for s in stretches[::2])


def test_still_idle_stretches_hold_the_last_frame_before_them() -> None:
    stretches = list(islice(joined(), 4))
    assert (stretches[2].frames == stretches[1].frames[-1]).all()
    assert (stretches[0].frames == stretches[1].frames[0]).all(), "the first of all holds the first"


def test_all_is_decided_by_the_seed() -> None:
    one, same, other = (list(islice(joined(seed), 8)) for seed in (1, 1, 2))
    assert all(torch.equal(a.frames, b.frames) for a, b in zip(one, same, strict=True))
    lengths = [[len(s.frames) for s in stretches] for stretches in (one, other)]
    assert lengths[0] != lengths[1]


def test_without_idle_stretches_clips_follow_each_other() -> None:
    stretches = list(islice(joined(idle=None), 5))
    assert BACKGROUND not in [s.label for s in stretches]
    later = list(islice(joined(idle_first=False), 2))
    assert [s.label == BACKGROUND for s in later] == [False, True]


def test_windows_go_on_where_the_last_ended() -> None:
    frames, labels = zip(*islice(windows([joined(1), joined(2)], 5), 6), strict=True)
    assert frames[0].shape == (2, 5, 3, 2, 2)
    for row, seed in enumerate((1, 2)):
        stretches = list(islice(joined(seed), 14))
        whole = torch.cat([s.frames for s in stretches])[:30]
        truth = torch.cat([torch.full((len(s.frames),), s.label) for s in stretches])[:30]
        assert torch.equal(torch.cat([f[row] for f in frames]), whole)
        assert torch.equal(torch.cat([t[row] for t in labels]), truth)


def test_background_plays_from_anywhere_and_turns_round_where_it_is_short() -> None:
    idle = play_background([torch.arange(4), 10 + torch.arange(1)])
    seen = set()
    for seed in range(40):
        frames = idle(torch.zeros(1), 9, random.Random(seed)).tolist()
        assert len(frames) == 9
        steps = {abs(a - b) for a, b in pairwise(frames)}
        assert steps == ({0} if frames[0] == 10 else {1}), "no jump"
        seen.add(tuple(frames))
    assert seen == {(10,) * 9, (0, 1, 2, 3, 2, 1, 0, 1, 2)}
    assert len({tuple(idle(torch.zeros(1), 2, random.Random(s)).tolist()) for s in range(40)}) == 4


def test_gaps_are_what_no_label_is_for() -> None:
    a, b, c = Path("a.mp4"), Path("b.mp4"), Path("c.mp4")
    items = [
        VideoItem(a, "wave", 20.0, 25.0, "a"),
        VideoItem(a, "clap", 5.0, 10.0, "a"),
        VideoItem(a, "wave", 10.5, 12.0, "a"),  # too little between
        VideoItem(b, "wave", None, None, "b"),  # a label for all of it
        VideoItem(c, "wave", 0.0, None, "c"),
    ]
    found = gaps(items, lambda _: 30.0)
    assert [(g.path, g.start_seconds, g.stop_seconds) for g in found] == [
        (a, 0.0, 4.5),
        (a, 12.5, 19.5),
        (a, 25.5, 30.0),
    ]


def test_what_cannot_be_joined_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one clip"):
        next(joined_clips(clip, [], idle=None, idle_frames=(1, 1), background=0, seed=0))
    with pytest.raises(ConfigError, match="idle stretches"):
        next(joined(idle_frames=(3, 2)))
    with pytest.raises(ConfigError, match="background"):
        play_background([])
