"""The report of a run of the video task: how it went, what it gets right, what it sees."""

from collections.abc import Callable
from datetime import UTC, datetime
from math import log
from pathlib import Path

from unrolled.reports import render_page, report_progress
from unrolled.reports.filters import draw_filters
from unrolled.storage import write_file
from unrolled.tasks.report_rows import environment_rows, option_rows, told
from unrolled.tasks.video import Learning
from unrolled.tasks.video_command import command_of
from unrolled.tasks.video_evaluation import VideoScore
from unrolled.tasks.video_view import (
    class_rows,
    look_at_confusion,
    look_at_input,
    look_at_judged,
    look_at_stream,
)
from unrolled.training.history import read_history
from unrolled.training.run_folder import RunFolder

_TEMPLATE = Path(__file__).parent / "templates" / "video.html"
_MOST_COLUMNS = 30  # of a confusion matrix that is drawn


def write_report(
    learning: Learning,
    folder: RunFolder,
    score: VideoScore,
    *,
    show: Callable[[float, str], None] = lambda *_: None,
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
    context = {
        "model": learning.model.model["name"] or folder.record.get("class"),
        "source": Path(folder.request.get("data") or "").name,
        "notices": learning.notices,
        "score": score,
        "headline": score.headline(),
        "streams": learning.model.streams,
        "finished": learning.training.share >= 1,
        "counters": learning.counters,
        "parameters": sum(weight.numel() for weight in learning.model.network.parameters()),
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
        "options": _options(learning, folder),
        "command": command_of(folder.request, folder.record.get("import", [])),
        "data": _data(learning),
        "environment": environment_rows(learning.training.options.device),
        "written_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
    write_file(folder.report, render_page(_TEMPLATE, context).encode())
    return folder.report


def _preprocessing(learning: Learning) -> list[tuple[str, str]]:
    found = learning.model.preprocessing.figures()
    if "height" not in found:
        return [("numbers of a step", str(len(found["mean"])))]
    return [(name.replace("_", " "), told(value)) for name, value in found.items()]


def _options(learning: Learning, folder: RunFolder) -> dict[str, list[tuple[str, str]]]:
    model = learning.model.model
    name = model["name"] or folder.record.get("class")
    groups = {
        "Network": {"name": name, **model["options"]},
        "Reading": vars(learning.options),
        "Training": vars(learning.training.options),
    }
    return option_rows(groups)


def _data(learning: Learning) -> list[tuple[str, str]]:
    data, parts = learning.clips.data, learning.parts
    rate = "none" if data.frames_per_second is None else f"{data.frames_per_second:g}"
    return [
        ("classes", f"{len(data.class_names):,}"),
        ("train, valid, test", ", ".join(f"{len(found):,}" for found in parts.values())),
        ("used + rejected", f"{len(data.samples):,} + {len(data.rejected):,} = {data.total:,}"),
        ("damaged, used as far as they go", f"{len(data.damaged):,}"),
        ("frames a second", rate),
    ]
