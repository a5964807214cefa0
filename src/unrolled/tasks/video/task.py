"""The video task's entry in the table of tasks."""

from typing import Any

from unrolled.tasks.table import Task
from unrolled.tasks.video.configuration import VIDEO_CONFIGURATION
from unrolled.tasks.video.model import VideoModel
from unrolled.tasks.video.run import begin, finish, reopen


def _outcome(figures: dict[str, Any]) -> str:
    return (
        f"{100 * figures['top1']:.1f} % of {figures['clips']:,} clips ({figures['part']}) are "
        f"right, where the commonest class is {100 * figures['majority_top1']:.1f} %\n"
        f"streams: {'yes' if figures['streams'] else 'no'}    "
        f"clips: {figures['used']:,} used + {figures['rejected']:,} rejected = "
        f"{figures['total']:,}    busy learning: {1 - figures['loader_share']:.0%} of the time"
    )


VIDEO = Task(
    name="video",
    configuration=VIDEO_CONFIGURATION,
    begin=begin,
    reopen=reopen,
    finish=finish,
    outcome=_outcome,
    afterwards=("let it label videos", "predict"),
    load=VideoModel.load,
)
