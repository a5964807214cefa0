"""The language task's entry in the table of tasks."""

from pathlib import Path
from typing import Any

from unrolled.tasks.language.configuration import LANGUAGE_CONFIGURATION
from unrolled.tasks.language.model import LanguageModel, Learning
from unrolled.tasks.language.run import Given, begin, finish, reopen
from unrolled.tasks.learning import Show
from unrolled.tasks.table import Task
from unrolled.training.run_folder import RunFolder


def _begin(
    out: Path | None, request: dict[str, Any], show: Show, imports: tuple[Path, ...]
) -> tuple[Learning, RunFolder]:
    return begin(out, request, show, Given(imports=imports))


def _summary(figures: dict[str, Any], finished: bool) -> str:
    return (
        f"{'learnt in' if finished else 'stopped after'} {figures['steps']:,} steps, "
        f"{figures['seconds']:.0f} s: {figures['nats_per_token']:.4f} nats per "
        f"{figures['unit']}, perplexity {figures['perplexity']:.2f}, where the bigram model has "
        f"{figures['bigram_nats_per_token']:.4f}"
    )


LANGUAGE = Task(
    name="language",
    configuration=LANGUAGE_CONFIGURATION,
    begin=_begin,
    reopen=reopen,
    finish=finish,
    summary=_summary,
    afterwards=("let it write", "generate"),
    load=LanguageModel.load,
)
