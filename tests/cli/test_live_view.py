"""What --show draws: the frame, the likeliest classes, a timeline, and how late it is."""

import io
import re

import torch
from rich.console import Console

from unrolled.cli.live_view import LiveView
from unrolled.streaming import FrameLabel

NAMES = ("wave", "clap", "-")


def label(number: int, skipped: int = 0) -> FrameLabel:
    probabilities = tuple(0.8 if k == number else 0.1 for k in range(3))
    pixels = torch.zeros(3, 12, 24, dtype=torch.uint8)
    return FrameLabel(1.5, NAMES[number], 0.8, 2.25, 31.0, skipped, probabilities, pixels)


def drawn(labels: list[FrameLabel], width: int = 60, height: int = 24) -> str:
    file = io.StringIO()
    console = Console(
        file=file, width=width, height=height, force_terminal=True, color_system="truecolor"
    )
    with LiveView(NAMES, "-", console) as view:
        for one in labels:
            view.draw(one)
    return file.getvalue()


def words(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_frame_label_timeline_and_times_are_there() -> None:
    text = words(drawn([label(1)]))
    lines = text.rstrip("\n").split("\n")
    assert len(lines) == 6 + 1 + 4 + 1, "a picture of 12 rows of pixels, and what is beneath"
    assert lines[6].startswith("■ clap  80 %   ■ wave  10 %   ■ -  10 %")
    assert lines[-1].startswith("1.5 s   computed in 2.2 ms, 31 ms behind")


def test_the_next_frame_is_drawn_over_it_and_covers_it() -> None:
    text = drawn([label(0, skipped=3), label(1)])
    assert text.count("\x1b[12A") == 1
    assert "3 skipped" in words(text)
    assert words(text).count("skipped") == 1
    assert text.startswith("\x1b[?25l")
    assert text.endswith("\x1b[?25h")
    assert all(len(line) >= 59 for line in words(text).split("\n") if line.startswith("■"))


def test_a_small_terminal_is_not_scrolled() -> None:
    assert words(drawn([label(0)], width=20, height=10)).count("\n") <= 9
