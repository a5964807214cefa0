"""``unrolled train TASK``: the flags that every task has, and what is done with them."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from unrolled.cli.imports import Imports
from unrolled.cli.running import model_options, run_to_the_end


@dataclass(frozen=True)
class RunFlags:
    """A run, whatever it learns.

    Args:
        config: a YAML file, such as the config.yaml of a run, or a recipe that `unrolled list`
            names; a flag beside it overrides what it says.
        out: a new folder for the run; runs/TASK-N if left out.
        set_: an option of the model, as in --set model.hidden_size=256; `unrolled inspect NAME`
            shows them; may be repeated.
        import_: a Python file of yours that registers cells or networks.
        json: print one JSON object and nothing else.
    """

    config: str | None = None  # its values are already in the other flags
    out: Path | None = None
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative="", show_default=False)] = ()
    import_: Imports = ()
    json: bool = False


def learn(task: str, data: str, model: str, run: RunFlags, sections: dict[str, Any]) -> int:
    """Do a run from its beginning to its end, and return the exit code.

    Args:
        task: its name.
        data: what is learnt from.
        model: the name of the network.
        run: where the run goes, and what else it is told.
        sections: the options of the task, by the names of their sections in a configuration.
    """
    from unrolled.tasks.table import task_named

    found = task_named(task)
    request: dict[str, Any] = {
        "data": data,
        "model": model,
        "options": model_options(run.set_),
        **{name: asdict(options) for name, options in sections.items()},
    }
    return run_to_the_end(
        found, lambda show: found.begin(run.out, request, show, run.import_), json=run.json
    )
