"""Timing side by side: who is called when."""

import time
from collections import Counter

from unrolled.benchmarks.timing import side_by_side


def test_all_take_turns_in_an_order_that_changes() -> None:
    called: list[str] = []

    def call(name: str) -> None:
        called.append(name)
        time.sleep(3e-2)  # longer than a turn must be, so that nothing is repeated

    seconds = side_by_side({name: lambda name=name: call(name) for name in "abc"}, rounds=3)
    assert seconds.keys() == set("abc")
    assert min(seconds.values()) >= 3e-2
    timed = called[-9:]
    assert Counter(timed) == {"a": 3, "b": 3, "c": 3}
    assert len({tuple(timed[i : i + 3]) for i in (0, 3, 6)}) > 1


def test_a_turn_of_a_short_call_is_many_and_one_of_them_is_told() -> None:
    count = 0

    def call() -> None:
        nonlocal count
        count += 1
        time.sleep(1e-4)

    seconds = side_by_side({"short": call}, rounds=2)
    assert count > 50
    assert 1e-4 <= seconds["short"] < 1e-2
