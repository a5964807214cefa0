"""The report of a run of the captioning task: how it went, what it says, and where it looks."""

from math import log
from pathlib import Path
from typing import Any

from unrolled.reports import report_progress
from unrolled.tasks.captioning.configuration import CAPTIONING_CONFIGURATION
from unrolled.tasks.captioning.evaluation import METRICS, CaptioningScore
from unrolled.tasks.captioning.learning import Learning
from unrolled.tasks.captioning.view import look_at_attention, look_at_examples, look_at_samples
from unrolled.tasks.learning import Show
from unrolled.tasks.report_rows import Rows, named_rows, share_rows
from unrolled.tasks.run_report import write_run_report
from unrolled.training.history import read_history
from unrolled.training.run_folder import RunFolder


def write_report(
    learning: Learning,
    folder: RunFolder,
    score: CaptioningScore,
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
    history, data = read_history(folder), learning.data
    rules = {"knowing nothing": log(len(learning.model.vocabulary))}
    progress = report_progress(history, unit="nats per word", rules=rules)
    show(0.6, "pictures")
    good, failed = look_at_examples(data, score)
    shown = {
        "kind": "films" if learning.model.films else "pictures",
        "score": score,
        "headline": score.headline(),
        "scores": [(METRICS.get(name, name), value) for name, value in score.scores.items()],
        "progress": progress,
        "good": good,
        "failed": failed,
        "attention": look_at_attention(data, score),
        "samples": look_at_samples(data, history),
        "faults": [*data.rejected, *data.damaged],
        "preprocessing": named_rows(learning.model.preprocessing.figures()),
    }
    return write_run_report(
        learning,
        folder,
        shown,
        configuration=CAPTIONING_CONFIGURATION,
        options=_options(learning, folder),
        data=_data(learning),
    )


def _options(learning: Learning, folder: RunFolder) -> dict[str, dict[str, Any]]:
    model = learning.model.model
    return {
        "Network": {"decoder": model["name"], "encoder": model["encoder"], **model["options"]},
        "Reading": folder.request.get("reading", {}),
        "Describing": vars(learning.model.describing),
    }


def _data(learning: Learning) -> Rows:
    data = learning.data
    captions = sum(len(item.captions) for item in data.items)
    return [
        *share_rows(learning.parts, used=len(data.items), rejected=len(data.rejected)),
        ("captions", f"{captions:,}"),
        ("words known", f"{len(learning.model.vocabulary):,}"),
    ]
