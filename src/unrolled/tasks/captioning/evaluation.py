"""How well a captioning model describes what it has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unrolled.errors import ReaderError
from unrolled.metrics import (
    Diversity,
    caption_scores,
    caption_scores_each,
    caption_words,
    diversity,
    write_coco_results,
)
from unrolled.tasks.captioning.data import CaptioningData, read_captioning_data
from unrolled.tasks.captioning.learner import CaptionLearner, Pictures
from unrolled.tasks.captioning.model import Caption, CaptioningModel, mean_nats
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.captioning.pointing import Pointing, looks_of, pointing
from unrolled.tasks.learning import Show
from unrolled.tasks.parts import wanted_part
from unrolled.training.modes import evaluating

_AT_A_TIME = 32  # pictures that are searched for captions together


# What scores are called, by their names in figures.
METRICS = {
    "bleu_1": "BLEU-1",
    "bleu_2": "BLEU-2",
    "bleu_3": "BLEU-3",
    "bleu_4": "BLEU-4",
    "rouge_l": "ROUGE-L",
    "cider": "CIDEr",
    "cider_d": "CIDEr-D",
    "meteor": "METEOR",
    "spice": "SPICE",
}


@dataclass(frozen=True)
class Jars:
    """Where the jars of METEOR and SPICE are; they need Java."""

    meteor: Path | None = None
    spice: Path | None = None


@dataclass(frozen=True)
class CaptioningScore:
    """The captions that a model gave, and their figures.

    Args:
        part: which pictures.
        names: of the pictures.
        numbers: of the pictures in their data.
        captions: of each, the likeliest first.
        references: what people said of each.
        scores: BLEU, ROUGE-L, CIDEr and CIDEr-D, of all together.
        nats_per_word: mean of -ln p over the words of the references.
        true: whether each is true of its picture, where the data can tell; else None.
        diversity: how much the captions differ.
        learnt_known: whether ``diversity`` knows the captions that were learnt from.
        pointing: where the model looked; None where it does not look, or no boxes are known.
        seen_in_training: pictures left out because the model was trained on them.
        rejected: pictures that cannot be read, with the reason.
    """

    part: str
    names: tuple[str, ...]
    numbers: tuple[int, ...]
    captions: tuple[list[Caption], ...]
    references: tuple[tuple[str, ...], ...]
    scores: dict[str, float]
    nats_per_word: float
    true: tuple[bool, ...] | None
    diversity: Diversity
    learnt_known: bool
    pointing: Pointing | None
    seen_in_training: int = 0
    rejected: tuple[tuple[str, str], ...] = ()

    @property
    def best(self) -> tuple[str, ...]:
        """The likeliest caption of each picture."""
        return tuple(found[0].text if found else "" for found in self.captions)

    @property
    def exact(self) -> tuple[bool, ...]:
        """Whether each best caption is, word for word, one of its references."""
        said = caption_words(self.best)
        return tuple(
            words in caption_words(references)
            for words, references in zip(said, self.references, strict=True)
        )

    @property
    def exact_match(self) -> float:
        """The share of captions that are one of their references."""
        return sum(self.exact) / len(self.exact)

    def each(self) -> dict[str, list[float]]:
        """Return the scores of every caption, in their order."""
        return {k: v.tolist() for k, v in caption_scores_each(self.best, self.references).items()}

    def headline(self) -> dict[str, Any]:
        """Return the figures that a run reports."""
        found: dict[str, Any] = {"part": self.part, "pictures": len(self.names), **self.scores}
        found |= {"exact_match": self.exact_match, "nats_per_word": self.nats_per_word}
        if self.true is not None:
            found["true"] = sum(self.true) / len(self.true)
        if self.pointing is not None:
            found |= {f"pointing_{name}": value for name, value in self.pointing._asdict().items()}
        return found

    def figures(self) -> dict[str, Any]:
        """Return all figures for a report; used, seen and rejected are the total."""
        different = self.diversity._asdict()
        if not self.learnt_known:
            different["copied_share"] = None
        return {
            **self.headline(),
            "diversity": different,
            "used": len(self.names),
            "rejected": [list(fault) for fault in self.rejected],
            "seen_in_training": self.seen_in_training,
            "total": len(self.names) + self.seen_in_training + len(self.rejected),
        }

    def write_results(self, path: Path) -> None:
        """Write the best captions as COCO's server takes them, by number or name of the picture."""
        pairs = zip(self.names, self.best, strict=True)
        write_coco_results(path, {_image_id(name): caption for name, caption in pairs})


def evaluate_pictures(
    model: CaptioningModel,
    data: CaptioningData,
    numbers: Sequence[int],
    *,
    part: str,
    learnt: Sequence[int] = (),
    beam: int | None = None,
    jars: Jars = Jars(),
    show: Show = lambda *_: None,
) -> CaptioningScore:
    """Describe pictures and score what was said.

    Args:
        model: a trained model.
        data: where the pictures are.
        numbers: of the pictures.
        part: what they are called.
        learnt: those of the data that the model was trained on.
        beam: hypotheses of a search; None for the model's own.
        jars: of METEOR and SPICE, where they are asked for.
        show: is told how far it is.
    """
    if not numbers:
        raise ReaderError(f"pictures of the part {part!r}", "none")
    learner = CaptionLearner(model.network, model.preprocessing)
    pictures = Pictures(learner, data.pixels, numbers)
    captions: list[list[Caption]] = []
    with evaluating(learner):
        for start in range(0, len(numbers), _AT_A_TIME):
            show(start / len(numbers), "describing")
            chosen = numbers[start : start + _AT_A_TIME]
            captions += model.describe_batch(pictures.batch(chosen), beam)
        show(1.0, "scoring")
        tokens = data.tokens(model.vocabulary, model.reading.max_words)
        nats = mean_nats(learner, pictures, tokens, numbers, model.vocabulary.start)
    items = [data.items[number] for number in numbers]
    best = [found[0].text if found else "" for found in captions]
    references = tuple(item.captions for item in items)
    said = [caption for number in learnt for caption in data.items[number].captions]
    size = (model.preprocessing.height, model.preprocessing.width)
    looks = [
        look
        for found, item in zip(captions, items, strict=True)
        if found and item.objects is not None and not model.films
        for look in looks_of(found[0], item.objects, size)
    ]
    return CaptioningScore(
        part,
        tuple(item.name for item in items),
        tuple(numbers),
        tuple(captions),
        references,
        caption_scores(best, references, meteor_jar=jars.meteor, spice_jar=jars.spice),
        nats,
        data.judged(numbers, best),
        diversity(best, said),
        bool(said),
        pointing(looks),
    )


def evaluate_data(
    model: CaptioningModel,
    source: str,
    *,
    part: str | None = None,
    reading: CaptioningOptions | None = None,
    beam: int | None = None,
    jars: Jars = Jars(),
    show: Show = lambda *_: None,
) -> CaptioningScore:
    """Score a model on data: its held-out part, or what of other data it has not seen.

    Args:
        model: a trained model.
        source: what the model was trained on, or other captions.
        part: "train", "valid", "test", "held-out" (test, or else valid) or "all"; None takes the
            held-out part where there is any of it in the data, and else all that is not seen.
        reading: how the data is read, where not as the model's own was.
        beam: hypotheses of a search; None for the model's own.
        jars: of METEOR and SPICE, where they are asked for.
        show: is told how far it is.
    Raises:
        ReaderError: there is nothing to score.
        ConfigError: no such part.
    """
    data = read_captioning_data(source, reading or model.reading, films=model.films, show=show)
    digests = [item.digest for item in data.items]
    part, wanted, seen = wanted_part(model.parts, digests, part, what="pictures")
    chosen = [n for n, digest in enumerate(digests) if digest in wanted]
    learnt = [n for n, digest in enumerate(digests) if digest in set(model.parts["train"])]
    score = evaluate_pictures(
        model, data, chosen, part=part, learnt=learnt, beam=beam, jars=jars, show=show
    )
    return replace(score, seen_in_training=seen, rejected=data.rejected)


def _image_id(name: str) -> int | str:
    """Return the number that COCO's file names end with, or else the name."""
    stem = Path(name).stem
    digits = stem.rpartition("_")[2]
    return int(digits) if stem.startswith("COCO_") and digits.isdecimal() else name
