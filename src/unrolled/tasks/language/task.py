"""The language task's entry in the table of tasks."""

from typing import Any

from unrolled.tasks.language.configuration import LANGUAGE_CONFIGURATION
from unrolled.tasks.language.model import LanguageModel
from unrolled.tasks.language.run import begin, finish, reopen
from unrolled.tasks.table import Task


def _outcome(figures: dict[str, Any]) -> str:
    return (
        f"{figures['nats_per_token']:.4f} nats per {figures['unit']}, "
        f"perplexity {figures['perplexity']:.2f}, where the bigram model has "
        f"{figures['bigram_nats_per_token']:.4f}"
    )


LANGUAGE = Task(
    name="language",
    configuration=LANGUAGE_CONFIGURATION,
    begin=begin,
    reopen=reopen,
    finish=finish,
    outcome=_outcome,
    afterwards=("let it write", "generate"),
    load=LanguageModel.load,
)
