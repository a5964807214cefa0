"""``unrolled train``."""

import json as json_text
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from unrolled.cli.configured import configured
from unrolled.cli.help import FoldedHelp
from unrolled.cli.learning import RunFlags, learn
from unrolled.cli.running import run_to_the_end
from unrolled.cli.train_captioning import captioning
from unrolled.cli.train_video import video
from unrolled.tasks.captioning.learning_options import CaptioningTrainingOptions
from unrolled.tasks.language.network_options import NETWORK_OPTIONS
from unrolled.tasks.language.options import LanguageOptions
from unrolled.training.options import TrainingOptions


def _network_options() -> str:
    """Return what ``--set`` can set, network by network, with what it is if it is not set."""
    lines = ["What --set model.KEY=VALUE can set, and what it is if it is not set:", ""]
    for name, options in NETWORK_OPTIONS.items():
        title = "lstm, and every other cell" if name == "lstm" else name
        lines.append(f"  {title}")
        lines += [f"    {key} = {json_text.dumps(value)}" for key, value in options.items()]
    return "\n".join(lines)


train = App(
    name="train",
    help="""Train a model for a task, or go on with a run that was stopped.

    Example: unrolled train language --data book.txt

    Example: unrolled train --resume runs/language-1
    """,
)


@train.default
def resume(*, resume: Path, device: str | None = None, json: bool = False) -> int:
    """Go on with a run that was stopped, as if it had not been.

    Example: unrolled train --resume runs/language-1

    Args:
        resume: the folder of the run.
        device: go on on another device than until now; left out, on the same.
        json: print one JSON object and nothing else.
    """
    from unrolled.tasks.continuing import move_run
    from unrolled.tasks.table import task_of_run

    task = task_of_run(resume)
    if device is not None:
        move_run(resume, task.configuration, device)
    return run_to_the_end(task, lambda show: task.reopen(resume, show), json=json)


@train.command(config=configured("language"), help_epilogue=_network_options())
def language(
    *,
    data: str,
    model: str = "lstm",
    run: Annotated[RunFlags, Parameter(name="*")] = RunFlags(),  # noqa: B008
    reading: Annotated[LanguageOptions, Parameter(name="*")] = LanguageOptions(),  # noqa: B008
    training: Annotated[TrainingOptions, Parameter(name="*")] = TrainingOptions(),  # noqa: B008
) -> int:
    """Learn to predict the next character, word or byte pair of a text.

    Example: unrolled train language --data book.txt --model lstm --max-minutes 3

    Example: unrolled train language --config tinyshakespeare_3_minutes

    Args:
        data: a text file, a folder, a pattern such as "*.tex", or world, which is the embedded
            data; --config may say it instead.
        model: lstm or any other cell, tcn, transformer, min_char_rnn, bigram, or one of your own.
        run: where it goes.
        reading: of the text.
        training: of the model.
    """
    return learn("language", data, model, run, {"reading": reading, "training": training})


train.command(video, config=configured("video"))
train.command(
    captioning,
    config=configured("captioning"),
    help_formatter=FoldedHelp(without=CaptioningTrainingOptions.refused),
)
