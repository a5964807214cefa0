"""A picture as half blocks: exact for a few pixels, and in proportion for many."""

import io

import numpy as np
import pytest
from rich.console import Console

from unrolled.cli.picture import Picture, can_show, resized
from unrolled.errors import ShapeError

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def terminal(width: int = 80, **options) -> Console:
    settings = {"force_terminal": True, "color_system": "truecolor", "no_color": False, **options}
    return Console(file=io.StringIO(), width=width, height=24, legacy_windows=False, **settings)


def shown(frame: np.ndarray, console: Console, max_rows: int | None = None) -> str:
    console.print(Picture(frame, max_rows=max_rows), end="")
    return console.file.getvalue()


def test_two_pixels_one_above_the_other_are_one_character() -> None:
    frame = np.array([[RED, RED, WHITE], [GREEN, GREEN, BLUE]], dtype=np.uint8)
    first = "\x1b[38;2;255;0;0;48;2;0;255;0m▀▀\x1b[0m"  # a run of equal pairs is written once
    second = "\x1b[38;2;255;255;255;48;2;0;0;255m▀\x1b[0m"
    assert shown(frame, terminal()) == f"{first}{second}\n"


def test_the_last_row_of_an_odd_height_has_nothing_below_it() -> None:
    frame = np.array([[RED], [GREEN], [BLUE]], dtype=np.uint8)
    upper = "\x1b[38;2;255;0;0;48;2;0;255;0m▀\x1b[0m\n"
    assert shown(frame, terminal()) == upper + "\x1b[38;2;0;0;255m▀\x1b[0m\n"


@pytest.mark.parametrize(
    ("size", "width", "max_rows", "characters"),
    [
        ((64, 128), 80, None, (20, 80)),
        ((64, 128), 80, 17, (17, 68)),
        ((64, 128), 200, None, (32, 128)),  # never larger than it is
        ((64, 64), 80, 10, (10, 20)),
        ((100, 1), 80, 10, (10, 1)),  # nothing is narrower than a column, nor higher than allowed
        ((1, 100), 7, None, (1, 7)),
    ],
)
def test_a_frame_is_made_to_fit_in_proportion(
    size: tuple[int, int], width: int, max_rows: int | None, characters: tuple[int, int]
) -> None:
    picture = Picture(np.zeros((*size, 3), dtype=np.uint8), max_rows=max_rows)
    lines = terminal(width).render_lines(picture, pad=False)
    columns = {sum(segment.cell_length for segment in line) for line in lines}
    assert (len(lines), *columns) == characters


def test_a_smaller_frame_is_the_mean_of_what_it_stands_for() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    means = frame.reshape(2, 3, 3, 3, 3).mean(axis=(1, 3))
    assert np.array_equal(resized(frame, 2, 3), np.floor(means + 0.5))
    # 3 pixels into 2: the middle one is shared.
    row = np.array([[[30] * 3, [60] * 3, [120] * 3]], dtype=np.uint8)
    assert resized(row, 1, 2)[0, :, 0].tolist() == [40, 100]
    flat = np.full((7, 11, 3), 200, dtype=np.uint8)
    assert (resized(flat, 5, 3) == 200).all()


def test_pictures_are_shown_in_colour_on_a_terminal_only(monkeypatch) -> None:
    assert can_show(terminal())
    assert not can_show(terminal(no_color=True))
    assert not can_show(terminal(color_system=None))
    assert not can_show(Console(file=io.StringIO(), color_system="truecolor"))
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert not can_show(Console(file=ascii_only, force_terminal=True, color_system="truecolor"))
    monkeypatch.setenv("TERM", "dumb")
    assert not can_show(Console(file=io.StringIO(), force_terminal=True))


@pytest.mark.parametrize(
    "frame",
    [np.zeros((3, 4, 5)), np.zeros((4, 5, 3)), np.zeros((0, 5, 3), np.uint8), np.uint8([[1]])],
    ids=["channels first", "floats", "empty", "grey"],
)
def test_what_is_not_a_frame_is_refused(frame: np.ndarray) -> None:
    with pytest.raises(ShapeError, match=r"a frame \[H, W, 3\] of uint8"):
        Picture(frame)
