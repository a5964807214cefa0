"""The report of a run of the language task: how it went, what it writes, what it looks back on."""

from pathlib import Path
from typing import Any

from torch import Tensor

from unrolled.reports import GradientReport, probe_gradients, report_progress
from unrolled.tasks.language.configuration import LANGUAGE_CONFIGURATION
from unrolled.tasks.language.model import Learning, loss_of
from unrolled.tasks.language.networks import network_options
from unrolled.tasks.language.view import Standing, look_at_data, look_at_writing
from unrolled.tasks.learning import Show
from unrolled.tasks.report_rows import Rows
from unrolled.tasks.run_report import write_run_report
from unrolled.training.history import read_history
from unrolled.training.run_folder import RunFolder

_MAX_LAG, _PROBED_ROWS = 128, 8


def write_report(
    learning: Learning,
    folder: RunFolder,
    *,
    floor: float | None = None,
    show: Show = lambda *_: None,
) -> Path:
    """Write ``report.html`` into the folder of a run that is over or was stopped.

    Args:
        learning: the run; its network holds the weights to report on.
        folder: of the run.
        floor: nats a token that the best of readers needs, where the source's entropy is known.
        show: is told how far it is, and with what.

    Returns:
        The path of the page.
    """
    show(0.0, "curves")
    history = read_history(folder)
    standing = Standing.of(learning, floor)
    rules = {"bigram": learning.baseline} | ({} if floor is None else {"floor": floor})
    progress = report_progress(history, unit=f"nats per {standing.unit}", rules=rules)
    show(0.5, "samples")
    writing = look_at_writing(learning)
    show(0.7, "gradients")
    shown = {
        "standing": standing,
        "progress": progress,
        "samples": list(history.observations.values()),
        "prompt": learning.model.vocabulary.decode(learning.prompt),
        "writing": writing,
        "gradients": _gradients(learning),
        "seen": look_at_data(learning),
    }
    return write_run_report(
        learning,
        folder,
        shown,
        configuration=LANGUAGE_CONFIGURATION,
        options=_options(learning, folder),
        data=_data(learning),
    )


def _gradients(learning: Learning) -> GradientReport | None:
    """Follow gradients back over two windows at most, after one that warms the state up."""
    window, text = learning.training.options.window, learning.validation
    x, target = text.x[:_PROBED_ROWS], text.target[:_PROBED_ROWS]
    length = min(_MAX_LAG, 2 * window, x.shape[1])
    warm = min(window, x.shape[1] - length)
    network, state = learning.model.network, None
    if warm:
        _, state = network(x[:, :warm])

    def last_loss(y: Tensor) -> Tensor:
        return loss_of(y[:, -1:], target[:, warm + length - 1 : warm + length])

    return probe_gradients(network, x[:, warm : warm + length], last_loss, state)


def _options(learning: Learning, folder: RunFolder) -> dict[str, dict[str, Any]]:
    """Return every option with its value, those left at their defaults too."""
    model = learning.model.model
    name, network = folder.record.get("class"), {}
    if model["name"] is not None:
        name, network = model["name"], network_options(model["name"]) | model["options"]
    return {"Network": {"name": name, **network}, "Reading": folder.request.get("reading", {})}


def _data(learning: Learning) -> Rows:
    model = learning.model
    units = f"{model.vocabulary.unit}s"
    rows = [
        ("split into train, valid, test", model.split),
        (f"{units} that are learnt from", f"{learning.streams.target.numel():,}"),
        (f"{units} that validate", f"{learning.validation.target.numel():,}"),
        ("streams side by side", f"{len(learning.streams.x):,}"),
        ("vocabulary", f"{len(model.vocabulary):,} {units}"),
    ]
    return rows + [(f"SHA-256 of {part}", digest) for part, digest in model.parts.items()]
