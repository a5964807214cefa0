"""What verbs print: results on stdout, progress on stderr and only on a terminal."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

Bar: TypeAlias = Callable[[float, str], None]  # the share that is done, and a few words on it


def print_json(figures: dict[str, Any]) -> None:
    """Print the one object of ``--json``."""
    print(json.dumps(figures))


def notice(sentence: str) -> None:
    """Say something that the caller should know, on stderr."""
    print(f"unrolled: {sentence}", file=sys.stderr)


@contextmanager
def progress_bar(title: str) -> Iterator[Bar]:
    """Show a bar on stderr while the block runs; nothing where that is not a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn(title),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    shown = sys.stderr.isatty()
    with Progress(*columns, console=console, disable=not shown, transient=True) as progress:
        task = progress.add_task(title, total=1.0, words="")
        yield lambda share, words: progress.update(task, completed=share, words=words)
