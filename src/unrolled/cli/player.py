"""A film in a terminal, at its own pace."""

import time
from collections.abc import Callable, Sequence

from rich.console import Console, Group, RenderableType
from rich.control import Control
from rich.segment import SegmentLines

from unrolled.cli.picture import Frame, Picture


def play(
    frames: Sequence[Frame],
    *,
    frame_rate_hz: float,
    beneath: Callable[[int], RenderableType],
    console: Console,
    max_rows: int | None = None,
) -> None:
    """Play a film where the cursor is, and leave its last frame there.

    A frame whose time is over before it could be drawn is left out, so that a slow terminal shows
    fewer frames and the film takes as long as it should. The last one is always shown.

    Shapes: frames [T, H, W, 3] uint8, red green blue, or a sequence of its frames.
    Args:
        frames: the pictures, one after the other.
        frame_rate_hz: how many are shown in a second.
        beneath: given the number of a frame, what stands under it; what it raises ends the film.
        console: where pictures can be shown, see ``can_show``.
        max_rows: of characters that a picture may take.
    """
    rows, began = 0, time.monotonic()
    console.show_cursor(False)
    try:
        for number, frame in enumerate(frames):
            ends = began + (number + 1) / frame_rate_hz
            if time.monotonic() < ends or number == len(frames) - 1:
                shown = Group(Picture(frame, max_rows=max_rows), beneath(number))
                rows = draw_over(rows, shown, console)
                time.sleep(max(0.0, ends - time.monotonic()))
    finally:
        console.show_cursor(True)


def draw_over(rows: int, shown: RenderableType, console: Console) -> int:
    """Draw over the last ``rows`` rows, and return how many there are now.

    Nothing is erased first, as ``rich.live`` would do: on a slow line that flickers.
    """
    lines = console.render_lines(shown)[: console.height - 1]
    with console:  # one write, so that no half of a frame is seen
        console.control(Control.move(0, -rows))
        console.print(SegmentLines(lines, new_lines=True), end="")
    return len(lines)
