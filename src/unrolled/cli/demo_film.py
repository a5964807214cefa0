"""The first act of the demo: a clip of the embedded world, and its narration as it happens."""

from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from unrolled.cli.picture import can_show
from unrolled.cli.player import play
from unrolled.world import FRAME_RATE_HZ, Clip, World

_WORLD = {"height": 64, "width": 128, "events_before": 15}  # with a cast on the stage already


def show_film(seed: int, poll: Callable[[], None]) -> None:
    """Play a clip where pictures can be shown, and elsewhere say what is to be seen in it.

    Args:
        seed: of the world.
        poll: is called before every frame; what it raises ends the film.
    """
    clip, console = World(seed=seed, **_WORLD).clip(0), Console(highlight=False)
    there = f"On the stage: {', '.join(f'a {name}' for name in clip.opening)}."
    console.print(there)
    if not can_show(console):
        console.print(_told(clip))
        return

    def beneath(frame: int) -> Text:
        poll()
        begun = [event.sentence for event in clip.events if event.start_frame <= frame]
        return Text("\n".join(begun) + "\n" * (len(clip.events) - len(begun)), style="italic")

    play(
        list(clip.frames.transpose(0, 2, 3, 1)),
        frame_rate_hz=FRAME_RATE_HZ,
        beneath=beneath,
        console=console,
        max_rows=max(4, console.height - len(clip.events) - 3),
    )


def _told(clip: Clip) -> str:
    """Return the clip as lines: when each event begins, and what happens."""
    T, _, H, W = clip.frames.shape
    lines = [f"A film of {T} frames, {W} x {H} pixels (a terminal with colours shows it):\n"]
    for event in clip.events:
        lines.append(f"  {clip.pts_seconds[event.start_frame]:4.1f} s  {event.sentence}")
    return "\n".join(lines)
