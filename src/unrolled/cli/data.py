"""``unrolled data``."""

from dataclasses import asdict, replace
from typing import Annotated, Literal

from cyclopts import App, Parameter

from unrolled.cli.output import notice, print_json, print_table, progress_bar
from unrolled.tasks.language_options import LanguageOptions
from unrolled.tasks.video_options import ClipOptions, VideoOptions

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
    task: Literal["language", "video"] = "language",
    reading: Annotated[LanguageOptions, Parameter(name="*")] = LanguageOptions(),  # noqa: B008
    clips: Annotated[ClipOptions, Parameter(name="*")] = ClipOptions(),  # noqa: B008
    batch_size: int = 8,
    window: int = 64,
    json: bool = False,
) -> int:
    """Say what data holds, what is damaged in it, and what a model will see; 2 if damaged.

    Example: unrolled data check book.txt --level word --split 80/10/10

    Example: unrolled data check my_videos --task video --frames-per-second 5

    Args:
        path: a text file, a folder or a pattern such as "*.tex"; or videos, as `train video` takes
            them.
        task: what the data is for.
        reading: of the text.
        clips: of the videos.
        batch_size: sequences side by side, of a text.
        window: steps from one update to the next, of a text.
        json: print one JSON object and nothing else.
    """
    with progress_bar("checking") as bar:
        if task == "video":
            from unrolled.tasks.video_check import check_videos

            options = VideoOptions(**asdict(clips))
            if reading.split != LanguageOptions().split:
                options = replace(options, split=reading.split)
            report = check_videos(path, options, show=bar)
        else:
            from unrolled.tasks.language_check import check_text

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
