"""``unrolled data``."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from unrolled.cli.output import notice, print_json, print_table, progress_bar
from unrolled.tasks.captioning.check_options import CaptionCheckOptions
from unrolled.tasks.language.options import LanguageOptions
from unrolled.tasks.video.check_options import VideoCheckOptions

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
    task: Literal["language", "video", "captioning"] = "language",
    reading: Annotated[LanguageOptions, Parameter(name="*")] = LanguageOptions(),  # noqa: B008
    batch_size: int = 8,
    window: int = 64,
    looking: Annotated[VideoCheckOptions, Parameter(name="*")] = VideoCheckOptions(),  # noqa: B008
    strict: bool = False,
    describing: Annotated[CaptionCheckOptions, Parameter(name="*")] = CaptionCheckOptions(),  # noqa: B008
    json: bool = False,
) -> int:
    """Say what data holds, what is damaged in it, and what a model will see; 2 if damaged.

    Example: unrolled data check book.txt --level word --split 80/10/10
    Example: unrolled data check clips --task video --group "(.+)_[0-9]+.mp4"
    Example: unrolled data check captions.json --task captioning --images photos --sheet seen.png

    Args:
        path: a file, a folder or a pattern such as "*.tex"; for video, a folder of one folder per
            class, split files of UCF101 or HMDB51, a list, or a CSV with path and label; for
            captioning, a file or a folder of captions, or world.
        task: what the data is for.
        reading: language: of the text.
        batch_size: language: sequences side by side.
        window: language: steps from one update to the next.
        looking: video: at the videos.
        strict: video: exit with 2 if anything is left out, too.
        describing: captioning: at the captions and their pictures.
        json: print one JSON object and nothing else.
    """
    with progress_bar("checking") as bar:
        if task == "video":
            from unrolled.tasks.video.check import check_videos

            report = check_videos(path, looking, show=bar)
        elif task == "captioning":
            from unrolled.tasks.captioning.check import check_captions

            report = check_captions(path, describing, encoding=reading.encoding, show=bar)
        else:
            from unrolled.tasks.language.check import check_text

            report = check_text(path, reading, batch_size=batch_size, window=window, show=bar)
    bad = bool(report.damage) or (strict and bool(report.figures.get("rejected")))
    if json:
        print_json({"task": task, "data": path, **report.figures})
        return 2 if bad else 0
    for table in report.tables:
        print_table(table.title, table.columns, table.rows, right=table.right)
    for sentence in report.notes:
        print(f"note: {sentence}")
    for sentence in report.damage:
        notice(f"damaged: {sentence}")
    if not report.damage:
        print("nothing is damaged")
    return 2 if bad else 0
