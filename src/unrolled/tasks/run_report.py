"""The page of a run: what is the same on it whatever the task, around what the task shows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unrolled.diagnostics import count_parameters
from unrolled.reports import render_page
from unrolled.storage import write_file
from unrolled.tasks.command import command_of
from unrolled.tasks.configuration import TaskConfiguration
from unrolled.tasks.learning import AnyLearning
from unrolled.tasks.report_rows import Rows, environment_rows, option_rows
from unrolled.training.run_folder import RunFolder

_TEMPLATES = Path(__file__).parent / "templates"


def write_run_report(
    learning: AnyLearning,
    folder: RunFolder,
    shown: Mapping[str, Any],
    *,
    configuration: TaskConfiguration,
    options: Mapping[str, Mapping[str, Any]],
    data: Rows,
) -> Path:
    """Write ``report.html`` into the folder of a run, from the template of its task.

    The templates extend ``run.html``, which shows what is taken here from the run itself.

    Args:
        learning: the run.
        folder: of the run.
        shown: what the template of the task names.
        configuration: of the task.
        options: of the run, by the title of their group; those of its training come last.
        data: rows on what was learnt from.

    Returns:
        The path of the page.
    """
    training, model = learning.training, learning.model
    context = {
        "model": model.model["name"] or folder.record.get("class"),
        "source": Path(folder.request.get("data") or "").name,
        "notices": learning.notices,
        "finished": training.share >= 1,
        "counters": training.counters,
        "parameters": count_parameters(model.network),
        "options": option_rows({**options, "Training": vars(training.options)}),
        "command": command_of(folder.request, configuration, folder.record.get("import", [])),
        "data": data,
        "environment": environment_rows(training.options.device),
        **shown,
    }
    template = _TEMPLATES / f"{folder.request['task']}.html"
    write_file(folder.report, render_page(template, context).encode())
    return folder.report
