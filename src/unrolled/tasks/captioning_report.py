"""The report of a run of the captioning task: how it went, what it says, and where it looks."""

from collections.abc import Callable
from datetime import UTC, datetime
from math import log
from pathlib import Path

from unrolled.reports import render_page, report_progress
from unrolled.storage import write_file
from unrolled.tasks.captioning_command import command_of
from unrolled.tasks.captioning_evaluation import CaptioningScore
from unrolled.tasks.captioning_learning import Learning
from unrolled.tasks.captioning_view import look_at_attention, look_at_examples, look_at_samples
from unrolled.tasks.report_rows import Rows, environment_rows, option_rows, told
from unrolled.training.history import read_history
from unrolled.training.run_folder import RunFolder

_TEMPLATE = Path(__file__).parent / "templates" / "captioning.html"
_METRICS = {
    "bleu_1": "BLEU-1",
    "bleu_2": "BLEU-2",
    "bleu_3": "BLEU-3",
    "bleu_4": "BLEU-4",
    "rouge_l": "ROUGE-L",
    "cider": "CIDEr",
    "cider_d": "CIDEr-D",
    "meteor": "METEOR",
    "spice": "SPICE",
}


def write_report(
    learning: Learning,
    folder: RunFolder,
    score: CaptioningScore,
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
    history, data = read_history(folder), learning.data
    rules = {"knowing nothing": log(len(learning.model.vocabulary))}
    progress = report_progress(history, unit="nats per word", rules=rules)
    show(0.6, "pictures")
    good, failed = look_at_examples(data, score)
    context = {
        "model": learning.model.model["name"],
        "source": Path(folder.request.get("data") or "").name,
        "kind": "films" if learning.model.films else "pictures",
        "notices": learning.notices,
        "score": score,
        "headline": score.headline(),
        "scores": [(_METRICS.get(name, name), value) for name, value in score.scores.items()],
        "finished": learning.training.share >= 1,
        "counters": learning.counters,
        "parameters": sum(weight.numel() for weight in learning.model.network.parameters()),
        "progress": progress,
        "good": good,
        "failed": failed,
        "attention": look_at_attention(data, score),
        "samples": look_at_samples(data, history),
        "faults": [*data.rejected, *data.damaged],
        "preprocessing": [
            (name.replace("_", " "), told(value))
            for name, value in learning.model.preprocessing.figures().items()
        ],
        "options": _options(learning, folder),
        "command": command_of(folder.request, folder.record.get("import", [])),
        "data": _data(learning),
        "environment": environment_rows(learning.training.options.device),
        "written_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
    write_file(folder.report, render_page(_TEMPLATE, context).encode())
    return folder.report


def _options(learning: Learning, folder: RunFolder) -> dict[str, Rows]:
    model = learning.model.model
    return option_rows(
        {
            "Network": {"decoder": model["name"], "encoder": model["encoder"], **model["options"]},
            "Reading": folder.request.get("reading", {}),
            "Describing": vars(learning.model.describing),
            "Training": vars(learning.training.options),
        }
    )


def _data(learning: Learning) -> Rows:
    data, parts = learning.data, learning.parts
    captions = sum(len(item.captions) for item in data.items)
    return [
        ("train, valid, test", ", ".join(f"{len(found):,}" for found in parts.values())),
        ("used + rejected", f"{len(data.items):,} + {len(data.rejected):,} = {data.total:,}"),
        ("captions", f"{captions:,}"),
        ("words known", f"{len(learning.model.vocabulary):,}"),
    ]
