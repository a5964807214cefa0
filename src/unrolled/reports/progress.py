"""How a run went: its log as curves and as a table."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from unrolled.reports.curves import Line, draw_curves
from unrolled.training.history import Curve, History

_HOUR, _MINUTE = 3600, 60


@dataclass(frozen=True)
class ProgressReport:
    """What a page shows of it; drawings are None where matplotlib is not installed.

    Args:
        by_step: the loss and the validations over steps.
        by_time: the same over time.
        gradient_norm: before clipping, over steps.
        learning_rate: over steps.
        validations: rows of step, seconds, the mean loss since the row before, the validation.
    """

    by_step: Markup | None
    by_time: Markup | None
    gradient_norm: Markup | None
    learning_rate: Markup | None
    validations: list[tuple[int, float, float | None, float]]


def report_progress(
    history: History, *, unit: str, rules: Mapping[str, float] | None = None
) -> ProgressReport:
    """Draw the log of a run.

    Args:
        history: of the run.
        unit: of the loss, as in "nats per character".
        rules: figures to compare with, such as a baseline, by name.
    """

    def curves(points: Mapping[str, list[float]], x_label: str) -> Markup | None:
        lines = [
            Line("training", points["loss"], history.loss.values),
            Line("validation", points["validation"], history.validation.values, dots=True),
        ]
        return draw_curves(lines, x_label=x_label, y_label=unit, rules=rules)

    both = {"loss": history.loss, "validation": history.validation}
    longest = max([0.0, *history.loss.seconds, *history.validation.seconds])
    seconds, word = next(
        (size, word)
        for size, word in ((_HOUR, "hours"), (_MINUTE, "minutes"), (1, "seconds"))
        if longest >= 2 * size or size == 1
    )
    times = {name: [t / seconds for t in curve.seconds] for name, curve in both.items()}
    return ProgressReport(
        by_step=curves({name: list(map(float, c.steps)) for name, c in both.items()}, "steps"),
        by_time=curves(times, word),
        gradient_norm=_over_steps(history.gradient_norm, "norm of the gradient"),
        learning_rate=_over_steps(history.learning_rate, "learning rate"),
        validations=_validations(history),
    )


def _over_steps(curve: Curve, name: str) -> Markup | None:
    if not curve.steps:
        return None
    return draw_curves([Line(name, curve.steps, curve.values)], x_label="steps", y_label=name)


def _validations(history: History) -> list[tuple[int, float, float | None, float]]:
    steps, losses = np.array(history.loss.steps), np.array(history.loss.values)
    curve, before = history.validation, 0
    rows: list[tuple[int, float, float | None, float]] = []
    for step, seconds, value in zip(curve.steps, curve.seconds, curve.values, strict=True):
        since = losses[(steps > before) & (steps <= step)] if len(steps) else losses
        rows.append((step, seconds, float(since.mean()) if len(since) else None, value))
        before = step
    return rows
