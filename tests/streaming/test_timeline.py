"""A timeline shows what was added to it."""

import numpy as np

from unrolled.streaming.timeline import Timeline

NAMES = ("a", "b", "-")


def test_areas_are_the_probabilities_and_time_goes_to_the_right() -> None:
    timeline = Timeline(NAMES, columns=4, background="-")
    timeline.add([0.2, 0.3, 0.5])
    timeline.add([1.0, 0.0, 0.0])
    picture = timeline.picture(10)
    assert picture.shape == (10, 4, 3)
    shares = [(picture[:, 2] == colour).all(-1).sum() for colour in timeline.colours]
    assert shares == [2, 3, 5]
    assert (picture[:, 3] == timeline.colours[0]).all()
    assert len(np.unique(picture[:, :2])) == 1, "nothing was there before"
    assert (picture[-1, 2] == timeline.colours[0]).all(), "the first class is at the bottom"


def test_it_keeps_no_more_than_it_shows() -> None:
    timeline = Timeline(NAMES, columns=2)
    for share in (1.0, 0.0, 0.0):
        timeline.add([share, 1 - share, 0.0])
    assert (timeline.picture(3) == timeline.colours[1]).all()
    assert len(timeline._columns) == 2


def test_colours_differ_and_sums_below_one_are_shown() -> None:
    timeline = Timeline([str(n) for n in range(40)], columns=1)
    assert len(set(timeline.colours)) == 40
    timeline.add([0.0] * 40)
    assert (timeline.picture(2) == timeline.colours[-1]).all()
