"""The last acts of the demo: a network learns to watch, and labels an unseen film as it plays."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from unrolled.cli.live_view import LiveView
from unrolled.cli.output import progress_bar
from unrolled.cli.picture import can_show
from unrolled.diagnostics import count_parameters
from unrolled.tasks.watcher import Accuracy, Watched, Watcher
from unrolled.tasks.watcher_options import STILL, STREAMS
from unrolled.tasks.watcher_report import write_report
from unrolled.training.loop import Progress
from unrolled.training.options import TrainingOptions
from unrolled.training.signals import Stopped
from unrolled.world import FRAME_RATE_HZ

if TYPE_CHECKING:
    from unrolled.streaming import FrameLabel

_FRAME_MILLISECONDS = 1000 / FRAME_RATE_HZ


def learn_to_watch(
    path: Path,
    training: TrainingOptions,
    say: Callable[[str], None],
    poll: Callable[[], None],
    *,
    show: bool,
) -> dict[str, Any]:
    """Learn, label an unseen film, and return what came of it.

    Args:
        path: a new folder for the model and the report.
        training: how long and how.
        say: prints what there is to read.
        poll: raises ``Stopped`` once a stop was asked for.
        show: play the film where pictures can be shown.
    """
    with progress_bar("watching") as bar:

        def report(progress: Progress) -> None:
            poll()
            found = watcher.accuracies.get(progress.step)
            if progress.loss is not None:
                bar(progress.share, f"{progress.loss:.3f} nats a frame")
            elif found is not None:
                say(_so_far(progress.step, watcher.training.counters.seconds, found))

        watcher = Watcher.begin(training, report)
        say(_introduction(watcher))
        finished = watcher.learn(path)
    figures = watcher.figures()
    watched = None
    if finished:
        try:
            watched = _watch(watcher, say, poll, show=show)
            figures |= watched.figures(watcher.class_names)
        except Stopped:
            finished = False
    figures["report"] = str(write_report(watcher, watched, path))
    return {"finished": finished, **figures}


def _watch(
    watcher: Watcher, say: Callable[[str], None], poll: Callable[[], None], *, show: bool
) -> Watched:
    """Label the unseen film frame by frame, drawn where pictures can be shown; tell what was said.

    Without pictures it goes as fast as it can.
    """
    film, console = watcher.film(), Console(highlight=False)
    say("\nA film that it never saw, as it comes from a camera:\n")
    labels = []
    if show and can_show(console):
        with LiveView(watcher.class_names, STILL, console) as view:
            for label in watcher.live(film, pace=True):
                poll()
                view.draw(label)
                labels.append(label)
        say("")
    else:
        for label in watcher.live(film, pace=False):
            poll()
            labels.append(label)
    watched = watcher.compared(film, labels)
    for line in _told(watched, watcher.class_names):
        say(line)
    return watched


def _introduction(watcher: Watcher) -> str:
    parameters = count_parameters(watcher.network)
    return (
        f"\nA causal network of {parameters:,} parameters watches {STREAMS} films side by side. "
        "Shapes stand\nstill, or move: which way? "
        f"One frame alone cannot tell. By chance {1 / len(watcher.class_names):.0%} are right.\n"
    )


def _so_far(step: int, seconds: float, found: Accuracy) -> str:
    return (
        f"  step {step:>5,}  {seconds:>3.0f} s  {found.frames:>6.1%} of unseen frames right, "
        f"{found.settled:.1%} after half a second"
    )


def _told(watched: Watched, class_names: tuple[str, ...]) -> Iterator[str]:
    """Yield what is true and what was said, a line a stretch, and what it took."""
    begins = 0
    while begins < len(watched.labels):
        truth, ends = watched.truth[begins], begins
        while ends < len(watched.truth) and watched.truth[ends] == truth:
            ends += 1
        yield "  " + _stretch(watched.labels[begins:ends], class_names[truth])
        begins = ends
    figures = watched.figures(class_names)
    yield (
        f"\n{figures['milliseconds_per_frame']:.1f} ms a frame, of {_FRAME_MILLISECONDS:.0f} ms "
        "that there are. The whole film at once gives the same label\n"
        f"in {watched.equal} of {len(watched.labels)} frames; "
        f"probabilities differ by {watched.difference:.0e} at most."
    )


def _stretch(labels: "tuple[FrameLabel, ...]", truth: str) -> str:
    right = [label.label == truth for label in labels]
    told = f"{labels[0].seconds:4.1f} s  {truth:<6} right in {sum(right)} of {len(right)} frames"
    if not any(right):
        return told
    after = labels[right.index(True)].seconds - labels[0].seconds
    return told + (f", first after {after:.2f} s" if after else "")
