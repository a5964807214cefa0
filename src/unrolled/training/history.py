"""What the log of a run tells: losses, validations and samples, each with its step and time."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unrolled.training.run_folder import RunFolder


@dataclass
class Curve:
    """A figure over the steps of a run.

    Args:
        steps: rising, a step only once.
        seconds: of training until then, between the notes of the clock interpolated.
        values: the figure.
    """

    steps: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, step: int, seconds: float, value: float) -> None:
        """Add a point; of two at the same step the second stands."""
        if self.steps and self.steps[-1] == step:
            self.steps.pop(), self.seconds.pop(), self.values.pop()
        self.steps.append(step)
        self.seconds.append(seconds)
        self.values.append(value)


@dataclass(frozen=True)
class Observation:
    """What was observed of a model in training, such as a sample.

    Args:
        step: when.
        seconds: of training until then.
        figure: the loss, or the validation, of that step.
        validated: whether it is a validation.
        found: what was logged with it.
    """

    step: int
    seconds: float
    figure: float
    validated: bool
    found: dict[str, Any]


@dataclass
class History:
    """The log of a run, by what is in it."""

    loss: Curve = field(default_factory=Curve)
    learning_rate: Curve = field(default_factory=Curve)
    gradient_norm: Curve = field(default_factory=Curve)
    validation: Curve = field(default_factory=Curve)
    observations: dict[int, Observation] = field(default_factory=dict)


def read_history(folder: RunFolder) -> History:
    """Read the log and the clock of a run, all its parts before and after a resume.

    Raises:
        ReaderError: a line of them is damaged.
    """
    history, lines = History(), list(folder.read_log())
    curves = {name: curve for name, curve in vars(history).items() if isinstance(curve, Curve)}
    clock = folder.read_clock() or [(0, 0.0)]
    times = np.interp([line["step"] for line in lines], *np.array(clock).T)
    known = {"step", "share", *curves}
    for line, seconds in zip(lines, times.tolist(), strict=True):
        step = line["step"]
        for name in curves.keys() & line.keys():
            curves[name].add(step, seconds, line[name])
        found = {name: value for name, value in line.items() if name not in known}
        if found:
            validated = "validation" in line
            figure = line["validation" if validated else "loss"]
            history.observations[step] = Observation(step, seconds, figure, validated, found)
    return history
