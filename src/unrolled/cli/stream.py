"""``unrolled stream``."""

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from unrolled.cli.imports import Imports, run_imports
from unrolled.cli.output import notice, print_json
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.cli.live_view import LiveView
    from unrolled.metrics.events import Event
    from unrolled.readers.live_source import LiveSource
    from unrolled.streaming import EventDetector, FrameLabel
    from unrolled.streaming.overlay import Overlay
    from unrolled.tasks.video.live import LiveModel

_USUAL_FRAMES_PER_SECOND = 25.0  # of a model that takes frames as they come


def stream(
    model: Path,
    source: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    events: bool = False,
    threshold: float = 0.5,
    hold_seconds: float = 0.3,
    show: bool = False,
    overlay: Path | None = None,
    live: bool | None = None,
    give_up_seconds: float | None = None,
    device: str = "cpu",
    threads: int = 0,
    import_: Imports = (),
    json: bool = False,
) -> int:
    """Label a video frame by frame, as it comes: one line a frame.

    Example: unrolled stream runs/video-1 holiday.mp4

    Example: unrolled stream runs/video-1 0 --show

    Example: unrolled stream runs/video-1 rtsp://192.168.1.20/live --events --json

    Example: ffmpeg -i tape.avi -f matroska - | unrolled stream runs/video-1 -

    A line has the time in seconds, the label, its probability, the milliseconds that computing it
    took, and the milliseconds that it came after the frame (of a file: as if it had begun to play
    with the first line). Cameras and streams give their newest frame, and a line says how many
    were skipped before it; files and pipes skip nothing.

    Args:
        model: a run folder or a model folder.
        source: a file, - for bytes on stdin, a camera's number, a device such as /dev/video0, an
            rtsp:// or http:// address, or lavfi: and a graph of filters of FFmpeg.
        events: one line an event, when it is over, instead of one a frame.
        threshold: the probability from which on an event begins; it ends below 0.8 of that.
        hold_seconds: how long it must last to count, and how long a lapse does not end it.
        show: draw the frame, its label and a timeline in the terminal instead; files play at their
            own pace.
        overlay: a new video file, to which frames are written with their labels.
        live: take the newest frame and skip others, or, with --no-live, none; left out, as is
            usual for such a source.
        give_up_seconds: how long to try for when a live source is lost; left out, until Ctrl-C.
        device: cpu, cuda, cuda:1 or mps; or auto, which is the machine's GPU if it has one.
        threads: CPU threads; 0 leaves torch's own choice. 1 is better where cores are kept busy.
        import_: a Python file of yours that registers the model's cell.
        json: print one JSON object a line and nothing else.
    """
    from unrolled.tasks.video.live import LiveModel

    if show and (json or events):
        raise ConfigError("--show alone, or --json or --events without it", "both")
    _get_ready(import_, threads)
    loaded = LiveModel.load(model, device)
    detector = _detector(loaded, threshold, hold_seconds)
    opened = _open(loaded, source, live, give_up_seconds)
    _label(loaded, opened, detector if events else None, show=show, overlay=overlay, json=json)
    return 0


def _get_ready(imports: Imports, threads: int) -> None:
    from unrolled.training.device import use_threads

    run_imports(imports)
    use_threads(threads)


def _label(
    loaded: "LiveModel",
    opened: "LiveSource",
    detector: "EventDetector | None",
    *,
    show: bool,
    overlay: Path | None,
    json: bool,
) -> None:
    """Label frames until the source ends, and print, draw or write what is said of them."""
    if loaded.labeller.slides:
        frames = loaded.labeller.clip_frames
        notice(f"this network does not stream: it sees a window of {frames} frames at every frame")
    with ExitStack() as stack:
        view = _view(loaded, stack) if show else None
        written = _overlay(loaded, overlay, stack) if overlay else None
        labels = _labels(loaded, stack.enter_context(opened), written, pace=view is not None)
        if view is not None:
            deque(map(view.draw, labels), maxlen=0)
        elif detector is not None:
            _print_events(detector, labels, 1 / (loaded.frames_per_second or 1), json=json)
        else:
            for label in labels:
                _print_label(label, json=json)
    if opened.damaged:
        where, first = opened.address.name, opened.damages[0]
        notice(f"{opened.damaged} damaged places in {where}; first: {first}")


def _detector(loaded: "LiveModel", threshold: float, hold_seconds: float) -> "EventDetector":
    from unrolled.streaming import EventDetector

    return EventDetector(
        loaded.class_names,
        background=loaded.background,
        threshold=threshold,
        hold_seconds=hold_seconds,
    )


def _open(
    loaded: "LiveModel", source: str, live: bool | None, give_up_seconds: float | None
) -> "LiveSource":
    from unrolled.readers.live_source import LiveSource

    return LiveSource(
        source,
        frames_per_second=loaded.frames_per_second,
        live=live,
        on_lost=lambda loss: notice(str(loss)),
        give_up_seconds=give_up_seconds,
    )


def _view(loaded: "LiveModel", stack: ExitStack) -> "LiveView":
    from rich.console import Console

    from unrolled.cli.live_view import LiveView
    from unrolled.cli.picture import can_show

    console = Console(highlight=False)
    if not can_show(console):
        raise ConfigError("a terminal with colours for --show", "none", "leave --show out")
    return stack.enter_context(LiveView(loaded.class_names, loaded.background, console))


def _overlay(loaded: "LiveModel", path: Path, stack: ExitStack) -> "Overlay":
    from unrolled.streaming.overlay import Overlay

    rate, background = loaded.frames_per_second or _USUAL_FRAMES_PER_SECOND, loaded.background
    overlay = Overlay(path, loaded.class_names, frames_per_second=rate, background=background)
    return stack.enter_context(overlay)


def _labels(
    loaded: "LiveModel", source: "LiveSource", overlay: "Overlay | None", *, pace: bool
) -> "Iterator[FrameLabel]":
    """Label the frames as they come; they are written to the overlay on their way."""
    from unrolled.streaming import label_frames

    for label in label_frames(loaded.labeller, loaded.class_names, source, pace=pace):
        if overlay is not None:
            overlay.write(label)
        yield label


def _print_label(label: "FrameLabel", *, json: bool) -> None:
    figures = label.figures()
    if json:
        print_json(figures)
    else:
        skipped = f"  {label.skipped} skipped" if label.skipped else ""
        print(
            f"{label.seconds:9.2f} s  {label.label:<20}  {label.probability:6.3f}  "
            f"{label.compute_milliseconds:7.2f} ms  {label.behind_milliseconds:7.1f} ms behind"
            f"{skipped}"
        )
    sys.stdout.flush()


def _print_events(
    detector: "EventDetector", labels: "Iterator[FrameLabel]", frame_seconds: float, *, json: bool
) -> None:
    """Print each event when it is over; one that the end or Ctrl-C cuts off, then."""
    last = 0.0
    try:
        for label in labels:
            last = label.seconds
            _print_event(detector.update(last, label.probabilities), json=json)
    finally:
        _print_event(detector.finish(last + frame_seconds), json=json)


def _print_event(event: "Event | None", *, json: bool) -> None:
    if event is None:
        return
    if json:
        print_json({key: _rounded(value) for key, value in event._asdict().items()})
    else:
        print(
            f"{event.start_seconds:9.2f} s to {event.end_seconds:9.2f} s  {event.label:<20}  "
            f"{event.probability:6.3f}  decided at {event.decided_seconds:.2f} s"
        )
    sys.stdout.flush()


def _rounded(value: float | str) -> float | str:
    return round(value, 4) if isinstance(value, float) else value
