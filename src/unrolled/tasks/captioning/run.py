"""A run of the captioning task in its folder: begun, taken up again, finished."""

import hashlib
import json
from pathlib import Path
from typing import Any

from unrolled.tasks.beginning import new_run
from unrolled.tasks.captioning.configuration import CAPTIONING_CONFIGURATION
from unrolled.tasks.captioning.data import read_captioning_data
from unrolled.tasks.captioning.evaluation import CaptioningScore, evaluate_pictures
from unrolled.tasks.captioning.learning import Learning, prepare
from unrolled.tasks.captioning.learning_options import (
    CaptioningTrainingOptions,
    DescribingOptions,
)
from unrolled.tasks.captioning.networks import (
    captioner_class,
    resolved_options,
)
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.captioning.report import write_report
from unrolled.tasks.continuing import require_unchanged, take_up
from unrolled.tasks.learning import Show, run_figures, show_progress
from unrolled.training.configuration import expand_path
from unrolled.training.device import use_threads
from unrolled.training.run_folder import RunFolder


def begin(
    out: Path | None, request: dict[str, Any], show: Show, imports: tuple[Path, ...] = ()
) -> tuple[Learning, RunFolder]:
    """Get a new run ready, in a folder of its own.

    Args:
        out: the folder; None takes the next runs/captioning-N.
        request: data, model, options, reading, describing and training.
        show: is told how far it is.
        imports: Python files that register classes.
    """

    def resolved(request: dict[str, Any]) -> dict[str, Any]:
        encoder = request["describing"]["encoder"]
        return resolved_options(request["model"], encoder, request["options"])

    folder = new_run(out, "captioning", request, CAPTIONING_CONFIGURATION, resolved, imports)
    return _prepare(folder, show), folder


def reopen(path: Path, show: Show) -> tuple[Learning, RunFolder]:
    """Take a run up at its last good checkpoint.

    Args:
        path: the folder of the run.
        show: is told how far it is.
    Raises:
        ReaderError: no run there, none of its checkpoints is good, or its data has changed.
    """
    return take_up(path, CAPTIONING_CONFIGURATION, lambda folder, _: _prepare(folder, show))


def finish(learning: Learning, folder: RunFolder, show: Show = lambda *_: None) -> dict[str, Any]:
    """Write the model and the report, and return the run's figures."""
    score, figures = judge(learning, show=show)
    learning.model.save(folder.model, figures)
    learning.model.network.cpu()  # a report looks at little, closely
    write_report(learning, folder, score, show=show)
    return figures


def judge(
    learning: Learning, *, show: Show = lambda *_: None
) -> tuple[CaptioningScore, dict[str, Any]]:
    """Return how good what a run has learnt is on what was held out, and the run's figures."""
    counters, data = learning.counters, learning.data
    part, numbers = learning.held_out
    score = evaluate_pictures(
        learning.model, data, numbers, part=part, learnt=learning.parts["train"], show=show
    )
    figures = {
        **score.headline(),
        **score.diversity._asdict(),
        "valid_nats_per_word": counters.best,
        "vocabulary_size": len(learning.model.vocabulary),
        **run_figures(
            learning, learning.batches, used=len(data.items), rejected=len(data.rejected)
        ),
    }
    return score, figures


def _prepare(folder: RunFolder, show: Show) -> Learning:
    request = folder.request
    reading = CaptioningOptions(**request["reading"])
    describing = DescribingOptions(**request["describing"])
    options = CaptioningTrainingOptions(**request["training"])
    show(0.0, "reading")
    films = captioner_class(request["model"]).films
    data = read_captioning_data(expand_path(request["data"]), reading, films=films, show=show)
    use_threads(options.threads)
    learning = prepare(
        data,
        request["model"],
        request["options"],
        reading=reading,
        describing=describing,
        training=options,
        folder=folder,
        report=show_progress(show),
        show=show,
    )
    words_known = json.dumps(learning.model.vocabulary.entries).encode()
    require_unchanged(folder, "parts", learning.model.parts, what=request["data"])
    digest = hashlib.sha256(words_known).hexdigest()
    require_unchanged(folder, "vocabulary", digest, what="the vocabulary")
    return learning
