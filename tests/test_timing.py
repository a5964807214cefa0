"""Timing side by side, by a clock that only calls move: who is called when, and what is told."""

from collections import Counter
from collections.abc import Callable

import pytest

from unrolled.benchmarks import timing


class Clock:
    """Stands for the module `time`."""

    def __init__(self) -> None:
        self.now, self.called = 0.0, list[str]()

    def perf_counter(self) -> float:
        return self.now

    def call(self, name: str, seconds: float) -> Callable[[], None]:
        def run() -> None:
            self.called.append(name)
            self.now += seconds

        return run


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timing, "time", clock)
    return clock


def test_all_take_turns_in_an_order_that_changes(clock: Clock) -> None:
    long = {"a": 1.0, "b": 2.0, "c": 3.0}
    calls = {name: clock.call(name, seconds) for name, seconds in long.items()}
    assert timing.side_by_side(calls, rounds=3) == long
    turns = [tuple(clock.called[-9:][i : i + 3]) for i in (0, 3, 6)]
    assert all(Counter(turn) == Counter("abc") for turn in turns)
    assert len({*turns}) > 1


def test_a_turn_of_a_short_call_is_many_and_one_of_them_is_told(clock: Clock) -> None:
    short = timing._SHORTEST_SECONDS / 64
    seconds = timing.side_by_side({"short": clock.call("short", short)}, rounds=2)
    assert len(clock.called) == 2 + 2 * 64  # twice to see how long it takes
    assert seconds["short"] == pytest.approx(short)
