"""What ``unrolled train`` does whatever is learnt: it runs to the end, and says what came of it."""

import json as json_text
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from unrolled.cli.output import Bar, notice, print_json, progress_bar
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.learning import AnyLearning
    from unrolled.tasks.table import Task
    from unrolled.training.run_folder import RunFolder


def run_to_the_end(
    task: "Task", start: "Callable[[Bar], tuple[AnyLearning, RunFolder]]", *, json: bool
) -> int:
    """Run to the end, with a bar, and say what came of it.

    Args:
        task: of the run.
        start: gets the run ready, given what shows how far it is.
        json: print one JSON object and nothing else.

    Returns:
        The exit code: 130 where the run was stopped before its end.
    """
    with progress_bar("learning") as bar:
        learning, folder = start(bar)
        for sentence in learning.notices:
            notice(sentence)
        finished = learning.training.run()
    with progress_bar("reporting") as bar:
        figures = task.finish(learning, folder, bar)
    if json:
        paths = {"out": str(folder.path), "report": str(folder.report)}
        print_json({"task": task.name, **paths, "finished": finished, **figures})
        return 0 if finished else 130
    print(task.summary(figures, finished=finished))
    print(f"how it went, to look at:  {folder.report}")
    if finished:
        words, verb = task.afterwards
        print(f"the model is in {folder.path}; {words}:  unrolled {verb} {folder.path}")
        return 0
    print(f"go on with:  unrolled train --resume {folder.path}")
    return 130


def model_options(assignments: tuple[str, ...]) -> dict[str, Any]:
    """Read ``model.KEY=VALUE``; a value is JSON, or else a string.

    Raises:
        ConfigError: something else.
    Example:
        >>> model_options(("model.hidden_size=7", "model.cell=gru"))
        {'hidden_size': 7, 'cell': 'gru'}
    """
    options = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key.startswith("model."):
            raise ConfigError("--set model.KEY=VALUE", assignment)
        try:
            options[key.removeprefix("model.")] = json_text.loads(value)
        except ValueError:
            options[key.removeprefix("model.")] = value
    return options
