"""Learning to narrate the embedded world: a language whose floor is known, and its judge with it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

from unrolled.readers.text import read_parts
from unrolled.storage import write_file
from unrolled.tasks.language import LanguageModel, Learning, prepare, share_learnt, written
from unrolled.tasks.language_options import LanguageOptions
from unrolled.training.device import use_threads
from unrolled.training.loop import Poll, Progress
from unrolled.training.modes import evaluating
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import RunFolder
from unrolled.world import Judgement, Narration, judge, narrate

SENTENCES = 60_000
HIDDEN_SIZE = 192
_READING = LanguageOptions(split="95/5")
_JUDGED = 50  # sentences
_GIVEN = 20  # sentences that a model goes on from when it is judged
_LONGEST = 100  # characters of a sentence, after which the judge stops listening


@dataclass(frozen=True)
class Apprentice:
    """A network that learns to tell on a narrator's story, in a run of the language task.

    Args:
        story: what it reads.
        learning: the run, ready to begin.
        folder: of the run; ``story.txt`` in it is the data, so that the run can be resumed and the
            model evaluated as any other of the language task.
    """

    story: Narration
    learning: Learning
    folder: RunFolder

    @classmethod
    def begin(
        cls,
        story: Narration,
        out: Path | None,
        *,
        minutes: float,
        seed: int = 0,
        report: Callable[[Progress, LanguageModel], None] = lambda _, __: None,
    ) -> "Apprentice":
        """Get a run ready.

        Args:
            story: what is read; its end is held out.
            out: a new folder; None takes the next runs/demo-N.
            minutes: how long to learn.
            seed: of the network's first weights.
            report: is told of every update and validation.
        """
        training = TrainingOptions(
            epochs=1000, max_minutes=minutes, window=128, learning_rate=5e-3, seed=seed, keep=1
        )
        options = {"embedding_size": 32, "hidden_size": HIDDEN_SIZE}
        folder = RunFolder.new(out, "demo", {}, keep=training.keep)
        text = folder.path / "story.txt"
        folder.request |= {
            "data": str(text),
            "model": "lstm",
            "options": options,
            "import": [],
            "reading": asdict(_READING),
            "training": asdict(training),
        }
        write_file(text, story.text.encode())
        use_threads(training.threads)
        parts = read_parts(text, split=_READING.split)
        learning = prepare(
            parts, "lstm", options, data=_READING, training=training, folder=folder, report=report
        )
        return cls(story, learning, folder)

    def figures(self) -> dict[str, Any]:
        """Return how far it has come; what has not been measured yet is None."""
        counters, floor = self.learning.counters, self.story.nats_per_character
        known = isfinite(counters.best)
        vocabulary_size = len(self.learning.model.vocabulary)
        share = share_learnt(counters.best, floor, vocabulary_size) if known else None
        return {
            "steps": counters.step,
            "seconds": counters.seconds,
            "nats_per_character": counters.best if known else None,
            "floor": floor,
            "share_learnt": share,
        }


def judged(model: LanguageModel, *, seed: int, poll: Poll = lambda: None) -> Judgement:
    """Let a model tell a story on that it has not read, and judge its sentences.

    Args:
        model: has learnt from stories.
        seed: of the story and of the model's draws.
        poll: is called before every token, so that a stop need not wait for the end.
    """
    story, text = narrate(_GIVEN, seed=seed).text, ""
    for piece in written(model, story, seed=seed):
        poll()
        text += piece
        if text.count("\n") == _JUDGED or len(text) >= _LONGEST * _JUDGED:
            break
    return judge(text, story=story)


def first_words(model: LanguageModel, length: int) -> str:
    """Return the first ``length`` characters that a model writes, always from the same draws."""
    with evaluating(model.network):
        text = "".join(islice(written(model, seed=0), length))
    return text.replace("\n", " / ")[:length]
