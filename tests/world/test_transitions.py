"""Colour transitions: the same frames in both classes, the change at the time it was asked for."""

import numpy as np
import pytest

from unrolled.errors import ConfigError
from unrolled.world import TransitionWorld


def blue_and_orange(frames: np.ndarray) -> tuple[list[int], list[int]]:
    """Return the frames in which blue is seen, and those in which orange is."""
    red, blue = frames[:, 0].astype(int), frames[:, 2].astype(int)
    is_blue = ((blue - red) > 100).any(axis=(1, 2)).nonzero()[0].tolist()
    is_orange = ((red - blue) > 100).any(axis=(1, 2)).nonzero()[0].tolist()
    return is_blue, is_orange


def test_the_change_comes_when_it_was_asked_for() -> None:
    world = TransitionWorld(times=(5, 7), shown_frames=3)
    times = set()
    for number in range(40):
        frames, label = world.clip(number)
        blue, orange = blue_and_orange(frames)
        first, then = (blue, orange) if world.classes[label] == "blue to orange" else (orange, blue)
        change = then[0]
        assert first == [change - 3, change - 2, change - 1]
        assert then == [change, change + 1, change + 2]
        times.add(change)
    assert times == {5, 6, 7}


def test_left_to_itself_it_comes_at_every_time_at_which_all_of_it_is_seen() -> None:
    world = TransitionWorld(frames=8, shown_frames=2)
    times = {max(min(part) for part in blue_and_orange(world.clip(n).frames)) for n in range(80)}
    assert times == {2, 3, 4, 5, 6}


def test_both_classes_have_the_same_frames_in_another_order() -> None:
    # The label is drawn after place and time, the rest after the label: swap it, and compare.
    world = TransitionWorld(times=(4, 4), frames=8)
    for number in range(10):
        frames, _ = world.clip(number)
        outside = [0, 1, 6, 7]
        assert all((frames[t] == frames[0]).all() for t in outside)
        assert (frames[2] == frames[3]).all()
        assert (frames[4] == frames[5]).all()


def test_times_at_which_it_is_not_seen_whole_are_refused() -> None:
    for times in ((1, 5), (3, 15), (9, 3)):
        with pytest.raises(ConfigError, match="times from 2 to 14 in clips of 16 frames"):
            TransitionWorld(times=times)
