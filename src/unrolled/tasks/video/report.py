"""The report of a run of the video task: how it went, what it gets right, what it sees."""

from math import log
from pathlib import Path
from typing import Any

from unrolled.reports import report_progress
from unrolled.reports.filters import draw_filters
from unrolled.tasks.learning import Show
from unrolled.tasks.report_rows import Rows, named_rows, share_rows
from unrolled.tasks.run_report import write_run_report
from unrolled.tasks.video.configuration import VIDEO_CONFIGURATION
from unrolled.tasks.video.evaluation import VideoScore
from unrolled.tasks.video.model import Learning
from unrolled.tasks.video.view import (
    class_rows,
    look_at_confusion,
    look_at_input,
    look_at_judged,
    look_at_stream,
)
from unrolled.training.history import read_history
from unrolled.training.run_folder import RunFolder

_MOST_COLUMNS = 30  # of a confusion matrix that is drawn


def write_report(
    learning: Learning,
    folder: RunFolder,
    score: VideoScore,
    *,
    show: Show = lambda *_: None,
) -> Path:
    """Write ``report.html`` into the folder of a run that is over or was stopped.

    Args:
        learning: the run; its network holds the weights to report on.
        folder: of the run.
        score: on what was held out.
        show: is told how far it is, and with what.

    Returns:
        The path of the page.
    """
    show(0.3, "curves")
    history = read_history(folder)
    rules = {"knowing nothing": log(len(score.class_names))}
    progress = report_progress(history, unit="nats per clip", rules=rules)
    show(0.6, "clips")
    right, wrong = look_at_judged(learning, score)
    confusion = look_at_confusion(score) if len(score.class_names) <= _MOST_COLUMNS else None
    shown = {
        "score": score,
        "headline": score.headline(),
        "streams": learning.model.streams,
        "progress": progress,
        "right": right,
        "wrong": wrong,
        "confusion": confusion,
        "classes": class_rows(score),
        "streamed": look_at_stream(learning, score),
        "seen": look_at_input(learning),
        "filters": draw_filters(learning.model.network),
        "preprocessing": _preprocessing(learning),
        "faults": [*learning.clips.data.rejected, *learning.clips.data.damaged],
    }
    return write_run_report(
        learning,
        folder,
        shown,
        configuration=VIDEO_CONFIGURATION,
        options=_options(learning, folder),
        data=_data(learning),
    )


def _preprocessing(learning: Learning) -> Rows:
    found = learning.model.preprocessing.figures()
    if "height" not in found:
        return [("numbers of a step", str(len(found["mean"])))]
    return named_rows(found)


def _options(learning: Learning, folder: RunFolder) -> dict[str, dict[str, Any]]:
    model = learning.model.model
    name = model["name"] or folder.record.get("class")
    return {"Network": {"name": name, **model["options"]}, "Reading": vars(learning.options)}


def _data(learning: Learning) -> Rows:
    data = learning.clips.data
    rate = "none" if data.frames_per_second is None else f"{data.frames_per_second:g}"
    return [
        ("classes", f"{len(data.class_names):,}"),
        *share_rows(learning.parts, used=len(data.samples), rejected=len(data.rejected)),
        ("damaged, used as far as they go", f"{len(data.damaged):,}"),
        ("frames a second", rate),
    ]
