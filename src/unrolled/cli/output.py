"""What verbs print: results on stdout, progress on stderr and only on a terminal."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

Bar: TypeAlias = Callable[[float, str], None]  # the share that is done, and a few words on it


def print_json(figures: dict[str, Any]) -> None:
    """Print the one object of ``--json``."""
    print(json.dumps(figures))


def notice(sentence: str) -> None:
    """Say something that the caller should know, on stderr."""
    print(f"unrolled: {sentence}", file=sys.stderr)


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()
) -> None:
    """Print a table as wide as it needs, or as the terminal is; long cells are folded.

    Args:
        title: a line above it.
        columns: headings; none is shown where all are empty.
        rows: cells, as plain text.
        right: headings of the columns of numbers, which are never folded.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_header=any(columns),
    )
    for column in columns:
        is_number = column in right
        table.add_column(
            column, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(highlight=False).print(table)


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
    with Progress(
        *columns,
        console=console,
        disable=not shown,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # results that go to a pipe are not the bar's
    ) as progress:
        task = progress.add_task(title, total=1.0, words="")
        yield lambda share, words: progress.update(task, completed=share, words=words)
