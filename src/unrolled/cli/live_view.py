"""What ``unrolled stream --show`` draws: the frame, its label, and the last seconds."""

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.text import Text

from unrolled.cli.picture import Picture
from unrolled.cli.player import draw_over

if TYPE_CHECKING:
    from unrolled.streaming.labelling import FrameLabel

_TIMELINE_ROWS = 4
_NAMED = 4  # of the likeliest classes


class LiveView:
    """Draw each frame over the one before; to be used in a ``with`` statement.

    Args:
        class_names: in the order of the probabilities.
        background: the class that is drawn in grey.
        console: where pictures can be shown, see ``can_show``.
    """

    def __init__(
        self, class_names: Sequence[str], background: str | None, console: Console
    ) -> None:
        from unrolled.streaming.timeline import Timeline

        self.class_names, self.console = tuple(class_names), console
        self.timeline = Timeline(class_names, columns=console.width, background=background)
        self._rows = 0

    def __enter__(self) -> Self:
        self.console.show_cursor(False)
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self.console.show_cursor(True)

    def draw(self, label: "FrameLabel") -> None:
        """Draw one frame."""
        self.timeline.add(label.probabilities)
        room = max(4, self.console.height - _TIMELINE_ROWS - 4)
        shown = Group(
            Picture(label.pixels.permute(1, 2, 0).numpy(), max_rows=room),
            self._classes(label),
            Picture(self.timeline.picture(2 * _TIMELINE_ROWS)),
            self._times(label),
        )
        self._rows = draw_over(self._rows, shown, self.console)

    def _classes(self, label: "FrameLabel") -> Text:
        likeliest = sorted(range(len(self.class_names)), key=lambda k: -label.probabilities[k])
        line = Text(no_wrap=True, overflow="ellipsis")
        for place, number in enumerate(likeliest[:_NAMED]):
            red, green, blue = self.timeline.colours[number]
            line.append("■ ", style=f"rgb({red},{green},{blue})")
            share = f"{self.class_names[number]} {100 * label.probabilities[number]:3.0f} %   "
            line.append(share, style="" if place else "bold")
        return _filled(line, self.console.width)

    def _times(self, label: "FrameLabel") -> Text:
        skipped = f", {label.skipped} skipped" if label.skipped else ""
        line = Text(
            f"{label.seconds:.1f} s   computed in {label.compute_milliseconds:.1f} ms, "
            f"{label.behind_milliseconds:.0f} ms behind{skipped}",
            style="dim",
            no_wrap=True,
            overflow="ellipsis",
        )
        return _filled(line, self.console.width)


def _filled(line: Text, width: int) -> Text:
    """Return a line as long as the terminal is wide, so that it covers the one before."""
    line.truncate(width - 1, overflow="ellipsis", pad=True)
    return line
