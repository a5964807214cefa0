"""``unrolled data``."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from unrolled.cli.output import notice, print_json, print_table, progress_bar
from unrolled.tasks.language_options import LanguageOptions

data = App(
    name="data",
    help="""Look at data before a model does.

    Example: unrolled data check book.txt
    """,
)


@data.command
def check(
    path: str,
    /,
    *,
    task: Literal["language"] = "language",
    reading: Annotated[LanguageOptions, Parameter(name="*")] = LanguageOptions(),  # noqa: B008
    batch_size: int = 8,
    window: int = 64,
    json: bool = False,
) -> int:
    """Say what data holds, what is damaged in it, and what a model will see; 2 if damaged.

    Example: unrolled data check book.txt --level word --split 80/10/10

    Args:
        path: a file, a folder or a pattern such as "*.tex".
        task: what the data is for.
        reading: of the text.
        batch_size: sequences side by side.
        window: steps from one update to the next.
        json: print one JSON object and nothing else.
    """
    from unrolled.tasks.language_check import check_text

    with progress_bar("checking") as bar:
        report = check_text(path, reading, batch_size=batch_size, window=window, show=bar)
    if json:
        print_json({"task": task, "data": path, **report.figures})
        return 2 if report.damage else 0
    for table in report.tables:
        print_table(table.title, table.columns, table.rows, right=table.right)
    for sentence in report.notes:
        print(f"note: {sentence}")
    for sentence in report.damage:
        notice(f"damaged: {sentence}")
    if not report.damage:
        print("nothing is damaged")
    return 2 if report.damage else 0
