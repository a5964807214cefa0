"""The last part of the demo: a network learns to describe pictures, and shows where it looks."""

from collections.abc import Callable
from math import exp
from pathlib import Path
from textwrap import shorten
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from unrolled.cli.attention import AttentionPictures
from unrolled.cli.output import progress_bar
from unrolled.cli.picture import Picture, can_show
from unrolled.diagnostics import count_parameters
from unrolled.tasks.captioning.attention import write_attention
from unrolled.tasks.captioning.evaluation import CaptioningScore
from unrolled.tasks.captioning.model import Caption
from unrolled.tasks.describer import Describer, Told
from unrolled.training.options import TrainingOptions
from unrolled.training.signals import Stopped

_SAMPLES_AT = (0.05, 0.2, 0.5)  # shares of the time there is
_SAMPLED, _SHOWN = 3, 3  # pictures
_LINE = 64  # characters of a caption
_SAMPLE_COLUMNS = 24  # characters of a picture's width


def learn_to_describe(
    path: Path,
    training: TrainingOptions,
    say: Callable[[str], None],
    poll: Callable[[], None],
    *,
    show: bool,
) -> dict[str, Any]:
    """Learn, describe unseen scenes, and return what came of it.

    Args:
        path: a new folder for the run.
        training: how long and how.
        say: prints what there is to read.
        poll: raises ``Stopped`` once a stop was asked for.
        show: show pictures where that can be done.
    """
    console = Console(highlight=False) if show else None
    due = list(_SAMPLES_AT)
    describer: Describer | None = None
    with progress_bar("describing") as bar:

        def report(share: float, words: str) -> None:
            poll()
            bar(share, words)
            if describer is not None and due and share >= due[0]:
                due.pop(0)
                _sample(describer, say, console)

        describer = Describer.begin(path, training, report)
        say(_introduction(describer))
        finished = describer.learn()
    figures = describer.progress()
    if finished:
        try:
            poll()
            score, figures = describer.judged(lambda *_: poll())
            figures |= _describe(describer, score, path, say, console)
            figures["report"] = str(describer.report(score))
        except Stopped:
            finished = False
    return {"finished": finished, **figures}


def _introduction(describer: Describer) -> str:
    learning = describer.learning
    parameters = count_parameters(learning.model.network)
    rows, columns = learning.model.grid or (0, 0)
    train = len(learning.parts["train"])
    return (
        f"\nA network of {parameters:,} parameters sees {train:,} pictures with what can be said\n"
        f"of each. For every word it looks at {rows * columns} places of the picture, at some more "
        "than\nat others. Of pictures that it never saw it says:\n"
    )


def _sample(describer: Describer, say: Callable[[str], None], console: Console | None) -> None:
    """Say what the network says of a few unseen pictures, beside them where they can be shown."""
    step = describer.learning.counters.step
    _, unseen = describer.learning.held_out
    _show_told(f"  step {step:>5,}", describer.look(unseen[:_SAMPLED]), say, console)


def _show_told(
    title: str, told: list[Told], say: Callable[[str], None], console: Console | None
) -> None:
    if console is None or not can_show(console):
        for place, each in enumerate(told):
            say(f"{title if place == 0 else ' ' * len(title)}  {_short(each.caption)}")
        return
    row = Table.grid(padding=(0, 2, 0, 0))
    for _each in told:
        row.add_column(width=_SAMPLE_COLUMNS, overflow="fold")
    row.add_row(*(Picture(each.pixels.permute(1, 2, 0).numpy()) for each in told))
    row.add_row(*(Text(each.caption.text, style="bold" if each.right else "") for each in told))
    console.print(Text(title, style="dim"))
    console.print(row)


def _describe(
    describer: Describer,
    score: CaptioningScore,
    path: Path,
    say: Callable[[str], None],
    console: Console | None,
) -> dict[str, Any]:
    """Show where the network looked as it described a few pictures, and keep that as files."""
    say("\nWhere it looked, word by word:\n")
    files = []
    for place, told in enumerate(describer.shown(score, _SHOWN), start=1):
        caption, shares = told.caption, [exp(value) for value in told.caption.log_probabilities]
        percent, verdict = 100 * exp(caption.log_probability), "right" if told.right else "wrong"
        say(f"  {_short(caption)}   ({percent:.0f} %, {verdict})")
        weights, grid = caption.weights, caption.grid
        if console is not None and can_show(console) and weights is not None and grid is not None:
            console.print(AttentionPictures(told.pixels, caption.words, weights, grid, shares))
        for ending in (".png", ".gif"):
            file = path / f"attention-{place}{ending}"
            write_attention(told.pixels, caption, file)
            files.append(str(file))
    return {"attention": files}


def _short(caption: Caption) -> str:
    return shorten(caption.text, _LINE, placeholder=" ...")
