"""Events are said once: begun above one threshold, over below another, and held."""

import pytest

from unrolled.errors import ConfigError
from unrolled.metrics.events import Event
from unrolled.streaming import EventDetector

NAMES = ("wave", "clap", "-")


def said(detector: EventDetector, probabilities: list[tuple[float, float]]) -> list[Event]:
    """Give (wave, clap) at 10 frames a second, and return the events, the last cut off."""
    found = []
    for number, (wave, clap) in enumerate(probabilities):
        found.append(detector.update(number / 10, [wave, clap, 1 - wave - clap]))
    found.append(detector.finish(len(probabilities) / 10))
    return [
        event._replace(
            start_seconds=round(event.start_seconds, 6), end_seconds=round(event.end_seconds, 6)
        )
        for event in found
        if event is not None
    ]


def detector(**options: float) -> EventDetector:
    return EventDetector(NAMES, background="-", **options)


def test_an_event_is_from_the_first_frame_above_to_the_first_below() -> None:
    waves = [(0.1, 0), (0.6, 0), (0.9, 0), (0.45, 0), (0.2, 0), (0.1, 0)]
    (event,) = said(detector(threshold=0.5), waves)
    assert event == Event("wave", 0.1, 0.4, 0.1, 0.9), "0.45 is above the release of 0.4"


def test_with_a_hold_a_flash_is_no_event_and_a_lapse_no_end() -> None:
    flash = [(0.9, 0), (0.9, 0), (0, 0), (0, 0), (0, 0), (0, 0)]
    assert said(detector(hold_seconds=0.3), flash) == []
    lapse = [(0.9, 0)] * 4 + [(0, 0)] * 2 + [(0.9, 0)] * 2 + [(0, 0)] * 6
    (event,) = said(detector(hold_seconds=0.3), lapse)
    assert event == Event("wave", 0.0, 0.8, 0.3, 0.9)


def test_a_hold_of_some_frames_is_so_many_wherever_it_begins() -> None:
    for first in range(10):  # 0.7 - 0.4 is a little less than 0.3, and 0.4 - 0.1 a little more
        waves = [(0.0, 0)] * first + [(0.9, 0)] * 4
        (event,) = said(detector(hold_seconds=0.3), waves)
        assert event.decided_seconds == (first + 3) / 10


def test_a_new_event_ends_the_one_before_where_that_lapsed() -> None:
    both = [(0.9, 0)] * 3 + [(0.05, 0.9)] * 4
    first, second = said(detector(hold_seconds=0.2), both)
    assert first == Event("wave", 0.0, 0.3, 0.2, 0.9)
    assert second == Event("clap", 0.3, 0.7, 0.5, 0.9)


def test_a_new_event_takes_over_even_where_the_one_before_holds() -> None:
    both = [(0.6, 0.1)] * 2 + [(0.42, 0.5)] * 3
    first, second = said(detector(threshold=0.5), both)
    assert (first.label, first.end_seconds) == ("wave", 0.2)
    assert (second.label, second.start_seconds, second.end_seconds) == ("clap", 0.2, 0.5)


def test_the_background_is_no_event_and_the_end_cuts_one_off() -> None:
    assert said(detector(), [(0.1, 0.1)] * 5) == []
    (event,) = said(detector(), [(0.9, 0)] * 3)
    assert event.end_seconds == 0.3


def test_without_a_background_every_class_is_an_event() -> None:
    every = EventDetector(NAMES, threshold=0.5)
    assert [event.label for event in said(every, [(0.1, 0.1)] * 5)] == ["-"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"threshold": 0.0}, "threshold above 0"),
        ({"threshold": 1.1}, "threshold above 0"),
        ({"threshold": 0.5, "release": 0.6}, "release from 0"),
        ({"hold_seconds": -1.0}, "hold seconds"),
        ({"hold_seconds": float("nan")}, "hold seconds"),
    ],
)
def test_impossible_settings_are_refused(options: dict[str, float], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        detector(**options)


def test_a_background_that_is_no_class_is_refused() -> None:
    with pytest.raises(ConfigError, match="background among"):
        EventDetector(NAMES, background="idle")
