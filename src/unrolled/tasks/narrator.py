"""Learning to narrate the embedded world: its grammar gives the floor, and the judge."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

from unrolled.readers.text import read_parts
from unrolled.storage import write_file
from unrolled.tasks.language.configuration import LANGUAGE_CONFIGURATION
from unrolled.tasks.language.evaluation import share_learnt
from unrolled.tasks.language.model import LanguageModel, Learning, prepare
from unrolled.tasks.language.networks import resolved_options
from unrolled.tasks.language.report import write_report
from unrolled.tasks.language.writing import written
from unrolled.tasks.narrator_options import NETWORK, NETWORK_OPTIONS, READING
from unrolled.training.device import use_threads
from unrolled.training.loop import Poll, Progress
from unrolled.training.modes import evaluating
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import RunFolder
from unrolled.world import Judgement, Narration, judge, narrate

_JUDGED = 50  # sentences
_GIVEN = 30  # sentences of a story that is to be told on
_LONGEST = 60  # characters; no sentence has so many


@dataclass(frozen=True)
class Apprentice:
    """A network that learns to tell a narrator's story on, in a run of the language task.

    Args:
        story: what it reads; its end is held out.
        learning: the run, ready to begin.
        folder: of the run. The data is ``story.txt`` in it, so that the run can be resumed and its
            model evaluated as any other of the language task.
        characters_per_token: of the story.
    """

    story: Narration
    learning: Learning
    folder: RunFolder
    characters_per_token: float

    @classmethod
    def begin(
        cls,
        story: Narration,
        out: Path,
        training: TrainingOptions,
        report: Callable[[Progress, LanguageModel], None] = lambda _, __: None,
    ) -> "Apprentice":
        """Get a run ready.

        Args:
            story: what is to be read.
            out: a new folder.
            training: how long and how.
            report: is told of every update and validation.
        """
        data = out / "story.txt"
        request = {
            "data": str(data),
            "model": NETWORK,
            "options": resolved_options(NETWORK, NETWORK_OPTIONS),
            "reading": asdict(READING),
            "training": asdict(training),
        }
        record: dict[str, Any] = {"import": [], "class": None}
        folder = RunFolder.new(
            out,
            "language",
            request,
            training.keep,
            record=record,
            comments=LANGUAGE_CONFIGURATION.comments(),
        )
        write_file(data, story.text.encode())
        text = read_parts(data, split=READING.split)
        folder.record["parts"] = text.hashes()
        use_threads(training.threads)
        learning = prepare(
            text,
            NETWORK,
            NETWORK_OPTIONS,
            data=READING,
            training=training,
            folder=folder,
            report=report,
        )
        num_tokens = len(learning.model.vocabulary.encode(story.text))
        return cls(story, learning, folder, len(story.text) / num_tokens)

    def learn(self) -> bool:
        """Learn to the end, or to a stop, and keep the model; return whether it was the end."""
        finished = self.learning.training.run()
        known = {name: value for name, value in self.figures().items() if value is not None}
        self.learning.model.save(self.folder.model, known)
        return finished

    def report(self) -> Path:
        """Write the page on what it has learnt, and return its path."""
        return write_report(self.learning, self.folder, floor=self.floor)

    @property
    def floor(self) -> float:
        """Nats a token of a reader that knows the grammar."""
        return self.story.nats_per_character * self.characters_per_token

    def figures(self) -> dict[str, Any]:
        """Return how far it has come; None is what there was no time to measure."""
        counters, size = self.learning.counters, len(self.learning.model.vocabulary)
        measured = isfinite(counters.best)
        nats = counters.best / self.characters_per_token
        share = share_learnt(counters.best, self.floor, size) if measured else None
        return {
            "steps": counters.step,
            "seconds": counters.seconds,
            "nats_per_character": nats if measured else None,
            "floor": self.story.nats_per_character,
            "share_learnt": share,
        }


def judged(model: LanguageModel, *, seed: int, poll: Poll = lambda: None) -> Judgement:
    """Let a model tell many stories on, each by one sentence, and judge these.

    One sentence each, because a first mistake would lead to others: the model would go on from a
    stage that the grammar does not know of.

    Args:
        model: has learnt from stories.
        seed: of the stories and of the model's draws; it has to be another than that of its own.
        poll: is called before every story, so that a stop need not wait for the end.
    """
    grammatical = possible = 0
    for number in range(seed, seed + _JUDGED):
        poll()
        story = narrate(_GIVEN, seed=number).text
        verdict = judge(_next_sentence(model, story, seed=number), story=story)
        grammatical += verdict.grammatical
        possible += verdict.possible
    return Judgement(_JUDGED, grammatical, possible)


def _next_sentence(model: LanguageModel, story: str, *, seed: int) -> str:
    """Return the line with which a model goes on, cut where no sentence is so long."""
    line = ""
    for piece in written(model, story, seed=seed):
        line += piece
        if piece.endswith("\n") or len(line) > _LONGEST:
            break
    return line.strip() + "\n"  # a model of words ends each with a blank


def first_words(model: LanguageModel, length: int) -> str:
    """Return ``length`` characters that a model writes, from the same draws every time."""
    with evaluating(model.network):
        text = "".join(islice(written(model, seed=0), length))
    return text.replace("\n", "/ ")[:length]
