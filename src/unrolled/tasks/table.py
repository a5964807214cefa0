"""The tasks there are: what verbs, ``unrolled.load`` and ``unrolled.resume`` dispatch on."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from unrolled.errors import ConfigError
from unrolled.tasks.configuration import TaskConfiguration
from unrolled.tasks.learning import Show
from unrolled.tasks.model_folder import task_of_model
from unrolled.training.device import use_device
from unrolled.training.run_folder import RunFolder

_TASKS = {
    "captioning": "unrolled.tasks.captioning.task:CAPTIONING",
    "language": "unrolled.tasks.language.task:LANGUAGE",
    "video": "unrolled.tasks.video.task:VIDEO",
}


@dataclass(frozen=True)
class Task:
    """What can be done with a run or a model, whatever its task.

    Args:
        name: as in ``unrolled train NAME``.
        configuration: what one of its configurations may say.
        begin: gets a run ready in a new folder, given what was asked for and files of code to run.
        reopen: takes a run up where it was left.
        finish: writes model and report, and returns the figures.
        outcome: says what came of a run, from its figures.
        afterwards: what to do with a model, and the verb that does it.
        load: reads a model, given its folder.
    """

    name: str
    configuration: TaskConfiguration
    begin: Callable[[Path | None, dict[str, Any], Show, tuple[Path, ...]], tuple[Any, RunFolder]]
    reopen: Callable[[Path, Show], tuple[Any, RunFolder]]
    finish: Callable[[Any, RunFolder, Show], dict[str, Any]]
    outcome: Callable[[dict[str, Any]], str]
    afterwards: tuple[str, str]
    load: Callable[[Path], Any]

    def summary(self, figures: dict[str, Any], *, finished: bool) -> str:
        """Say how long a run took, and what came of it."""
        took = f"{figures['steps']:,} steps, {figures['seconds']:.0f} s"
        return f"{'learnt in' if finished else 'stopped after'} {took}: {self.outcome(figures)}"


def task_named(name: object) -> Task:
    """Return a task by its name.

    Raises:
        ConfigError: there is none of this name.
    Example:
        >>> task_named("language").afterwards
        ('let it write', 'generate')
    """
    if not isinstance(name, str) or name not in _TASKS:
        raise ConfigError(f"a task: {', '.join(_TASKS)}", repr(name))
    module, _, attribute = _TASKS[name].partition(":")
    found: Task = getattr(import_module(module), attribute)
    return found


def task_of_run(folder: Path) -> Task:
    """Return the task of a run, given its folder.

    Raises:
        ReaderError: there is no run in it.
        ConfigError: its task is none that there is.
    """
    return task_named(RunFolder.open(folder).request.get("task"))


def load_model(folder: Path, device: str = "cpu") -> tuple[Task, Any]:
    """Return the task of a model and the model, of a model folder or of a run folder.

    Args:
        folder: of a model or a run.
        device: that the model is to compute on, whichever it learnt on.
    Raises:
        ConfigError: no such device.
        ReaderError: there is no model, or a damaged one.
    """
    place = use_device(device)
    task = task_named(task_of_model(folder))
    loaded = task.load(folder)
    loaded.network.to(place)
    return task, loaded
