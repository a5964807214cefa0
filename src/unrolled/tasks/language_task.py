"""The language task's entry in the table of tasks."""

from typing import Any

from unrolled.tasks.language import LanguageModel
from unrolled.tasks.language_run import finish, reopen
from unrolled.tasks.table import Task


def _summary(figures: dict[str, Any], finished: bool) -> str:
    return (
        f"{'learnt in' if finished else 'stopped after'} {figures['steps']:,} steps, "
        f"{figures['seconds']:.0f} s: {figures['nats_per_token']:.4f} nats per "
        f"{figures['unit']}, perplexity {figures['perplexity']:.2f}, where the bigram model has "
        f"{figures['bigram_nats_per_token']:.4f}"
    )


LANGUAGE = Task(
    name="language",
    reopen=reopen,
    finish=finish,
    summary=_summary,
    afterwards=("let it write", "generate"),
    load=LanguageModel.load,
)
