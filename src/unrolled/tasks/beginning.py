"""A new run in its folder, whatever its task."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from unrolled.registry import import_file
from unrolled.tasks.configuration import TaskConfiguration
from unrolled.training.device import find_device
from unrolled.training.run_folder import RunFolder


def new_run(
    out: Path | None,
    task: str,
    request: dict[str, Any],
    configuration: TaskConfiguration,
    resolved_options: Callable[[dict[str, Any]], dict[str, Any]],
    imports: tuple[Path, ...] = (),
    *,
    network: object | None = None,
    words: dict[str, str] | None = None,
) -> RunFolder:
    """Return the folder of a new run, whose configuration says every option with its value.

    Args:
        out: the folder; None takes the next runs/TASK-N.
        task: its name.
        request: data, model, options and a section for each of the configuration's.
        configuration: of the task.
        resolved_options: returns the options of the model with those that were left out; it is not
            asked where no name stands for the model.
        imports: Python files that register classes, which are run first.
        network: learns, in the place of one that a name stands for.
        words: on keys of the configuration, in the place of the usual ones.
    """
    for path in imports:
        import_file(path)
    request = request | {
        name: asdict(kind(**request[name])) for name, kind in configuration.sections.items()
    }
    # The device itself, not "auto": a run goes on where it began, whatever the machine gets.
    request["training"]["device"] = str(find_device(request["training"]["device"]))
    if request["model"] is not None:
        request["options"] = resolved_options(request)
    record = {
        "import": [str(path) for path in imports],
        "class": None if network is None else type(network).__name__,
    }
    keep = request["training"]["keep"]
    comments = configuration.comments() | (words or {})
    return RunFolder.new(out, task, request, keep, record=record, comments=comments)
