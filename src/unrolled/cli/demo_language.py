"""The second act of the demo: a network reads the narration, writes, and is judged."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from unrolled.cli.output import progress_bar
from unrolled.diagnostics import count_parameters
from unrolled.tasks.language.model import LanguageModel
from unrolled.tasks.narrator import Apprentice, first_words, judged
from unrolled.tasks.narrator_options import SENTENCES
from unrolled.training.loop import Progress
from unrolled.training.options import TrainingOptions
from unrolled.training.signals import Stopped
from unrolled.world import narrate

_SAMPLES_AT = (50, 200, 800)  # steps
_SAMPLE_CHARACTERS = 64


def learn_to_narrate(
    path: Path, training: TrainingOptions, say: Callable[[str], None], poll: Callable[[], None]
) -> dict[str, Any]:
    """Learn, show samples on the way, and return what came of it.

    Args:
        path: a new folder for the run.
        training: how long and how.
        say: prints what there is to read.
        poll: raises ``Stopped`` once a stop was asked for.
    """
    with progress_bar("learning") as bar:
        bar(0.0, "the narrator speaks")
        story = narrate(SENTENCES, seed=training.seed)
        floor = story.nats_per_character
        poll()

        def report(progress: Progress, model: LanguageModel) -> None:
            poll()
            if progress.loss is not None:
                nats = progress.loss / apprentice.characters_per_token
                bar(progress.share, f"{nats:.3f} nats, floor {floor:.3f}")
                if progress.step in _SAMPLES_AT:
                    say(_sample(progress.step, model))

        apprentice = Apprentice.begin(story, path, training, report)
        say(_introduction(apprentice))
        say(_sample(0, apprentice.learning.model))
        finished = apprentice.learn()
    figures = apprentice.figures() | {"report": str(apprentice.report())}
    model = apprentice.learning.model
    say(_sample(figures["steps"], model))
    if finished:
        try:
            figures |= asdict(judged(model, seed=training.seed + 1, poll=poll))
        except Stopped:
            finished = False
    return {"finished": finished, **figures}


def _introduction(apprentice: Apprentice) -> str:
    parameters = count_parameters(apprentice.learning.model.network)
    return (
        f"\nAn LSTM of {parameters:,} parameters reads {len(apprentice.story.text):,} characters "
        "word by word.\n"
        "The grammar is known: no reader needs fewer than "
        f"{apprentice.story.nats_per_character:.4f} nats a character.\n\nIt writes:\n"
    )


def _sample(step: int, model: LanguageModel) -> str:
    return f"  step {step:>5,}  {first_words(model, _SAMPLE_CHARACTERS)}"
