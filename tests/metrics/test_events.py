"""Events against true ones, every figure worked out by hand."""

import pytest

from unrolled.errors import ConfigError
from unrolled.metrics.events import (
    Event,
    event_f1,
    events_of_labels,
    false_alarms,
    match,
    overlap,
    seconds_to_decide,
)


def event(label: str, start: float, end: float, decided: float | None = None) -> Event:
    return Event(label, start, end, start if decided is None else decided)


TRUE = [event("a", 0, 4), event("b", 10, 12), event("a", 20, 30)]


def test_overlap_is_what_is_shared_of_what_either_covers() -> None:
    assert overlap(event("a", 0, 4), event("a", 2, 6)) == pytest.approx(2 / 6)
    assert overlap(event("a", 0, 4), event("a", 1, 2)) == pytest.approx(1 / 4)
    assert overlap(event("a", 0, 4), event("a", 4, 6)) == 0
    assert overlap(event("a", 1, 1), event("a", 1, 1)) == 1, "the same instant"


def test_f1_by_hand() -> None:
    found = [
        event("a", 1, 4),  # 3 of 4 seconds: found
        event("a", 0.5, 3.5),  # the same one again: not counted twice
        event("b", 11, 14),  # 1 of 4 seconds: too little
        event("a", 20, 25),  # exactly a half: found
    ]
    assert match(found, TRUE, least_overlap=0.5) == [0, None, None, 2]
    scores = event_f1(found, TRUE)
    assert scores.precision == pytest.approx(2 / 4)
    assert scores.recall == pytest.approx(2 / 3)
    assert scores.f1 == pytest.approx(2 * (1 / 2) * (2 / 3) / (1 / 2 + 2 / 3))
    assert event_f1(found, TRUE, least_overlap=0.2).found == 3


def test_the_label_has_to_be_right() -> None:
    assert event_f1([e._replace(label="c") for e in TRUE], TRUE).f1 == 0
    assert event_f1(TRUE, TRUE).f1 == 1


def test_silence_is_right_where_nothing_was() -> None:
    assert event_f1([], []).f1 == 1
    assert event_f1([], TRUE) == (0.0, 0.0, 0.0, 0)
    assert event_f1(TRUE, []) == (0.0, 0.0, 0.0, 0)


def test_seconds_to_decide_are_of_the_first_that_names_it() -> None:
    found = [
        event("a", 1, 2, decided=1.5),
        event("a", 3, 4, decided=3.5),  # the same event again
        event("b", 9, 11, decided=9.5),  # before it began
    ]
    assert seconds_to_decide(found, TRUE) == [1.5, 0.0, None]


def test_a_false_alarm_shares_no_time_with_a_true_event_of_its_label() -> None:
    found = [
        event("a", 3.5, 9),  # badly placed, but something was there
        event("b", 0, 4),  # another was there
        event("a", 14, 15),  # nothing was there
    ]
    assert false_alarms(found, TRUE) == found[1:]


def test_labels_become_events_and_background_none() -> None:
    labels = ["-", "a", "a", "b", "-", "-", "b"]
    found = events_of_labels(labels, 2.0, background="-")
    expected = [event("a", 0.5, 1.5), event("b", 1.5, 2.0), event("b", 3.0, 3.5)]
    assert found == expected
    assert events_of_labels([], 2.0) == []
    assert len(events_of_labels(labels, 2.0)) == 5, "every label is an event without a background"


@pytest.mark.parametrize("least", [0.0, 1.5, float("nan")])
def test_an_impossible_overlap_is_refused(least: float) -> None:
    with pytest.raises(ConfigError, match="least overlap"):
        match([], [], least_overlap=least)
