"""The video task's entry in the table of tasks."""

from pathlib import Path
from typing import Any

from unrolled.tasks.learning import Show
from unrolled.tasks.table import Task
from unrolled.tasks.video.configuration import VIDEO_CONFIGURATION
from unrolled.tasks.video.model import Learning, VideoModel
from unrolled.tasks.video.run import Given, begin, finish, reopen
from unrolled.training.run_folder import RunFolder


def _begin(
    out: Path | None, request: dict[str, Any], show: Show, imports: tuple[Path, ...]
) -> tuple[Learning, RunFolder]:
    return begin(out, request, show, Given(imports=imports))


def _summary(figures: dict[str, Any], finished: bool) -> str:
    return (
        f"{'learnt in' if finished else 'stopped after'} {figures['steps']:,} steps, "
        f"{figures['seconds']:.0f} s: {100 * figures['top1']:.1f} % of {figures['clips']:,} clips "
        f"({figures['part']}) are right, where the commonest class is "
        f"{100 * figures['majority_top1']:.1f} %\n"
        f"streams: {'yes' if figures['streams'] else 'no'}    "
        f"clips: {figures['used']:,} used + {figures['rejected']:,} rejected = "
        f"{figures['total']:,}    busy learning: {1 - figures['loader_share']:.0%} of the time"
    )


VIDEO = Task(
    name="video",
    configuration=VIDEO_CONFIGURATION,
    begin=_begin,
    reopen=reopen,
    finish=finish,
    summary=_summary,
    afterwards=("let it label videos", "predict"),
    load=VideoModel.load,
)
