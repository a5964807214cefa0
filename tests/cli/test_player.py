"""A film keeps its pace, draws over itself, and leaves the terminal as it was."""

import io

import numpy as np
import pytest
from rich.console import Console
from rich.text import Text

from unrolled.cli import player
from unrolled.cli.player import play


class Clock:
    """Time that passes only where somebody sleeps."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> Clock:
    ours = Clock()
    monkeypatch.setattr(player, "time", ours)
    return ours


FRAMES = np.zeros((5, 2, 4, 3), dtype=np.uint8)
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def terminal(height: int = 24) -> Console:
    return Console(
        file=io.StringIO(), width=80, height=height, force_terminal=True, color_system="truecolor"
    )


def test_every_frame_is_drawn_over_the_one_before() -> None:
    console = terminal()
    play(FRAMES, frame_rate_hz=100, beneath=lambda n: Text(f"frame {n}\n"), console=console)
    written = console.file.getvalue()
    assert written.startswith(HIDE)
    assert written.endswith(SHOW)
    for number in range(5):
        assert f"frame {number}" in written
    assert written.count("\x1b[3A") == 4, "up over the picture and the two lines under it"
    assert "\x1b[2K" not in written, "nothing is erased first"


def test_a_slow_terminal_shows_fewer_frames_and_the_last(clock: Clock) -> None:
    drawn = []

    def slow(number: int) -> Text:
        drawn.append(number)
        clock.sleep(0.25)
        return Text("")

    play(np.zeros((20, 2, 4, 3), np.uint8), frame_rate_hz=10, beneath=slow, console=terminal())
    assert drawn == [0, 2, 5, 7, 10, 12, 15, 17, 19]
    assert clock.now == pytest.approx(2.25)


def test_it_takes_as_long_as_it_should(clock: Clock) -> None:
    play(FRAMES, frame_rate_hz=10, beneath=lambda _: Text(""), console=terminal())
    assert clock.now == pytest.approx(0.5)


def test_a_low_terminal_is_not_scrolled() -> None:
    console = terminal(height=4)
    tall = np.zeros((2, 40, 4, 3), dtype=np.uint8)
    play(tall, frame_rate_hz=100, beneath=lambda _: Text("under"), console=console)
    assert console.file.getvalue().count("\n") == 2 * 3


def test_whatever_ends_it_the_cursor_is_there_again() -> None:
    def stop(_: int) -> Text:
        raise KeyboardInterrupt

    console = terminal()
    with pytest.raises(KeyboardInterrupt):
        play(FRAMES, frame_rate_hz=100, beneath=stop, console=console)
    assert console.file.getvalue() == HIDE + SHOW
