"""The figures of a stream, worked out by hand."""

import pytest

from unrolled.errors import ShapeError
from unrolled.metrics.events import Event, events_of_labels
from unrolled.metrics.streaming import frame_accuracy, streaming_scores


def test_frame_accuracy_counts_the_background_too() -> None:
    assert frame_accuracy(list("-aab"), list("--ab")) == 3 / 4
    with pytest.raises(ShapeError, match="as many labels"):
        frame_accuracy(["a"], ["a", "b"])
    with pytest.raises(ShapeError):
        frame_accuracy([], [])


def test_all_figures_by_hand() -> None:
    truth = list("--aaaa--bbbb") + ["-"] * 1788  # 1800 frames at 5 a second: 6 minutes
    labels = list("---aaa--aabb") + ["-"] * 1788
    true = events_of_labels(truth, 5.0, background="-")
    found = [
        Event("a", 0.6, 1.2, 0.8),  # 3 of 4 frames, named 0.4 s after its beginning
        Event("a", 1.6, 2.0, 1.8),  # while it was b: a false alarm
        Event("b", 2.0, 2.4, 2.2),  # 2 of 4 frames, named 0.6 s after
    ]
    scores = streaming_scores(labels, truth, found, true, frames_per_second=5.0, background="-")
    assert scores.frame_accuracy == pytest.approx(1797 / 1800)
    assert scores.event_frame_accuracy == pytest.approx(5 / 8)
    assert (scores.events, scores.events_found, scores.events_named) == (2, 2, 2)
    assert scores.event_f1 == pytest.approx(2 * (2 / 3) * 1 / (2 / 3 + 1))
    assert scores.seconds_to_decide == pytest.approx((0.4 + 0.6) / 2)
    assert scores.hours == pytest.approx(0.1)
    assert scores.false_alarms_per_hour == pytest.approx(10)


def test_a_stream_of_background_alone_has_no_event_figures() -> None:
    scores = streaming_scores(["-"] * 5, ["-"] * 5, [], [], frames_per_second=5, background="-")
    assert scores.event_frame_accuracy is None
    assert scores.seconds_to_decide is None
    assert (scores.frame_accuracy, scores.event_f1, scores.false_alarms_per_hour) == (1, 1, 0)
