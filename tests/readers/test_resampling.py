"""Frames by their times: what is shown at 0, 1/r, 2/r ... seconds."""

import random

import pytest

from unrolled.errors import ConfigError
from unrolled.readers.resampling import Resampler


def resampled(times: list[float | None], rate: float | None, **options: float) -> list:
    """Return (number of the frame, time) of what comes out."""
    resampler = Resampler(rate, **options)
    found = [pair for number, t in enumerate(times) for pair in resampler.push(number, t)]
    return [(number, round(t, 6)) for number, t in found + resampler.finish()]


def naive(times: list[float], rate: float, end: float) -> list:
    """Look at every wanted time for the last frame that has begun."""
    found, number = [], 0
    while number / rate < end - 1e-9:
        shown = max(k for k, t in enumerate(times) if t - times[0] <= number / rate + 1e-9)
        found.append((shown, round(number / rate, 6)))
        number += 1
    return found


@pytest.mark.parametrize("rate", [2.0, 5.0, 7.3, 30.0, 100.0])
def test_any_rate_from_any_times(rate: float) -> None:
    generator = random.Random(1)
    times = [3.0]
    for _ in range(40):
        times.append(times[-1] + generator.uniform(0.005, 0.3))
    expected = naive(times, rate, times[-1] - times[0] + 0.04)
    assert resampled(times, rate, usual_seconds=0.04) == expected


def test_a_time_that_a_frame_has_is_answered_at_once() -> None:
    resampler = Resampler[int](10.0)
    assert [len(resampler.push(n, n / 30)) for n in range(7)] == [1, 0, 0, 1, 0, 0, 1]


def test_without_a_rate_frames_stay_as_they_are_and_begin_at_zero() -> None:
    assert resampled([5.0, 5.1, 5.3], None) == [(0, 0.0), (1, 0.1), (2, 0.3)]


def test_missing_times_go_on_from_the_last() -> None:
    assert resampled([None, None, None], None, usual_seconds=0.5) == [(0, 0), (1, 0.5), (2, 1.0)]
    assert resampled([4.0, None, 5.0], None, usual_seconds=0.5) == [(0, 0), (1, 0.5), (2, 1.0)]


def test_a_clock_that_begins_anew_goes_on_from_the_last() -> None:
    found = resampled([8.0, 8.1, 0.0, 0.1], 10.0, usual_seconds=0.1)
    assert found == [(0, 0.0), (1, 0.1), (2, 0.2), (3, 0.3)]


def test_a_gap_holds_the_last_frame_or_begins_the_grid_anew() -> None:
    assert len(resampled([0.0, 3.05], 10.0, usual_seconds=0.01)) == 31
    found = resampled([0.0, 3.05], 10.0, usual_seconds=0.01, longest_hold_seconds=1.0)
    assert found == [(0, 0.0), (1, 3.05)]


def test_after_a_loss_times_go_on_where_it_says() -> None:
    resampler = Resampler[str](10.0)
    assert resampler.is_empty
    resampler.push("a", 7.0)
    resampler.begin_anew(4.0)
    assert resampler.push("b", 900.0) == [("b", 4.0)]
    assert resampler.push("c", 900.1) == [("c", 4.1)]
    resampler.begin_anew(1.0)
    assert resampler.push("d", 0.0)[0][1] >= 4.1, "our clock never falls"


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_an_impossible_rate_is_refused(rate: float) -> None:
    with pytest.raises(ConfigError, match="above 0"):
        Resampler(rate)
