"""Describing the embedded world: a network learns to say what a picture shows, and looks there."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.tasks.captioning.evaluation import CaptioningScore
from unrolled.tasks.captioning.learning import Learning
from unrolled.tasks.captioning.model import Caption
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.captioning.report import write_report
from unrolled.tasks.captioning.run import begin, judge
from unrolled.tasks.describer_options import DESCRIBING, NETWORK, NETWORK_OPTIONS, READING
from unrolled.tasks.learning import Show
from unrolled.training.modes import evaluating
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import RunFolder

_ONE_THING = 8  # words at most of a short caption: it names one thing


class Told(NamedTuple):
    """An unseen picture and what is said of it.

    Args:
        pixels: of the picture.
        caption: the likeliest one.
        right: whether it is one of the references.
    """

    pixels: Tensor
    caption: Caption
    right: bool


@dataclass(frozen=True)
class Describer:
    """A network that learns to describe scenes, in a run of the captioning task.

    Args:
        learning: the run, ready to begin.
        folder: of the run; it can be resumed, and its model is one of the captioning task.
    """

    learning: Learning
    folder: RunFolder

    @classmethod
    def begin(
        cls,
        out: Path,
        training: TrainingOptions,
        show: Show = lambda *_: None,
        *,
        reading: CaptioningOptions | None = None,
    ) -> "Describer":
        """Get a run ready.

        Args:
            out: a new folder.
            training: how long and how.
            show: is told how far it is, before every update too.
            reading: how many scenes there are, and how large; None for the usual ones.
        """
        request = {
            "data": "world",
            "model": NETWORK,
            "options": NETWORK_OPTIONS,
            "reading": asdict(reading or READING),
            "describing": asdict(DESCRIBING),
            "training": asdict(training),
        }
        return cls(*begin(out, request, show))

    def learn(self) -> bool:
        """Learn to the end, or to a stop, and keep the model; return whether it was the end."""
        finished = self.learning.training.run()
        self.learning.model.save(self.folder.model, self.progress())
        return finished

    def progress(self) -> dict[str, Any]:
        """Return how far it has come; what there was no time to measure is left out."""
        counters = self.learning.counters
        found = {"steps": counters.step, "seconds": counters.seconds}
        if isfinite(counters.best):
            found["valid_nats_per_word"] = counters.best
        return found

    def look(self, numbers: Sequence[int]) -> list[Told]:
        """Describe pictures of the data, by their numbers, as the network stands."""
        learning = self.learning
        with evaluating(learning.model.network):
            pixels = [learning.data.pixels(number) for number in numbers]
            found = learning.model.describe_batch(torch.stack(pixels), 1)
        return [
            Told(picture, captions[0], captions[0].text in learning.data.items[number].captions)
            for number, picture, captions in zip(numbers, pixels, found, strict=True)
        ]

    def judged(self, show: Show = lambda *_: None) -> tuple[CaptioningScore, dict[str, Any]]:
        """Describe what was held out; return the scores, and figures beside the baseline's."""
        score, figures = judge(self.learning, show=show)
        self.learning.model.save(self.folder.model, figures)
        caption, share = self.baseline()
        exact = sum(score.exact)
        return score, {
            **{name: value for name, value in figures.items() if _finite(value)},
            "exact": exact,
            "commonest_caption": caption,
            "commonest_caption_exact": share,
        }

    def shown(self, score: CaptioningScore, count: int) -> list[Told]:
        """Return some of the pictures that were judged: two things before one, right before wrong.

        Among equals the likeliest come first.
        """
        data = self.learning.data
        found = [
            Told(data.pixels(number), captions[0], right)
            for number, captions, right in zip(
                score.numbers, score.captions, score.exact, strict=True
            )
            if captions and captions[0].words
        ]
        return sorted(found, key=_order)[:count]

    def report(self, score: CaptioningScore) -> Path:
        """Write the page on what it has learnt, and return its path."""
        return write_report(self.learning, self.folder, score)

    def baseline(self) -> tuple[str, float]:
        """Return the commonest caption of what is learnt from, and how often it would be right."""
        data, (_, unseen) = self.learning.data, self.learning.held_out
        said = Counter(c for n in self.learning.parts["train"] for c in data.items[n].captions)
        caption = min(said, key=lambda words: (-said[words], words))
        right = sum(caption in data.items[n].captions for n in unseen)
        return caption, right / len(unseen)


def _order(told: Told) -> tuple[bool, bool, float]:
    return len(told.caption.words) <= _ONE_THING, not told.right, -told.caption.log_probability


def _finite(value: Any) -> bool:
    return not isinstance(value, float) or isfinite(value)
