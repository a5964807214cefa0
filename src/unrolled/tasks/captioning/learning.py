"""A run of the captioning task, ready to begin or to go on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from unrolled.errors import ConfigError
from unrolled.readers.tensor_cache import TensorCache, fingerprint_of
from unrolled.tasks.captioning.batches import CaptionBatches
from unrolled.tasks.captioning.data import CaptioningData
from unrolled.tasks.captioning.learner import CaptionLearner, Pictures
from unrolled.tasks.captioning.learning_options import (
    CaptioningTrainingOptions,
    DescribingOptions,
)
from unrolled.tasks.captioning.model import CaptioningModel, mean_nats
from unrolled.tasks.captioning.networks import DEFAULT_MODEL, build_captioner, resolved_options
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.learning import Show
from unrolled.tasks.parts import PARTS, held_out_part
from unrolled.tasks.video.preprocessing import Preprocessing
from unrolled.tasks.video.weights import preprocessing_like, start_from
from unrolled.training.configuration import expand_path
from unrolled.training.device import seed_everything, use_device
from unrolled.training.loop import Counters, Poll, Progress, Training
from unrolled.training.modes import evaluating
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import RunFolder

_NONE_HELD_OUT = "no picture is held out for validation, which is on what is learnt"
_SAMPLES = 4  # pictures that are described at every validation


@dataclass(frozen=True)
class Learning:
    """A run on captions.

    Args:
        model: what learns.
        learner: the model as the loop sees it.
        training: the loop; its counters say where it stands.
        batches: what is learnt from.
        data: all pictures.
        parts: pictures of train, valid and test, by number.
        notices: what the caller should know, a sentence each.
    """

    model: CaptioningModel
    learner: CaptionLearner
    training: Training
    batches: CaptionBatches
    data: CaptioningData
    parts: dict[str, list[int]]
    notices: list[str]

    @property
    def counters(self) -> Counters:
        """Where the run stands."""
        return self.training.counters

    @property
    def held_out(self) -> tuple[str, list[int]]:
        """The pictures that figures are of, and their part: test, or else valid, or else train."""
        part = held_out_part(self.parts)
        return part, self.parts[part]


def prepare(
    data: CaptioningData,
    name: str = DEFAULT_MODEL,
    options: dict[str, Any] | None = None,
    *,
    reading: CaptioningOptions = CaptioningOptions(),  # noqa: B008 (frozen)
    describing: DescribingOptions = DescribingOptions(),  # noqa: B008 (frozen)
    training: TrainingOptions = CaptioningTrainingOptions(),  # noqa: B008 (frozen)
    folder: RunFolder | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    show: Show = lambda *_: None,
) -> Learning:
    """Get a run on captions ready.

    Args:
        data: the pictures and their captions.
        name: of the decoder in the registry.
        options: of the decoder, and of the encoder.
        reading: how the data was read.
        describing: the encoder, and how captions are searched for.
        training: how long and how.
        folder: where log and checkpoints go.
        report: is told of every update and validation.
        show: is told how far reading is.
    """
    seed_everything(training.seed)
    parts = {part: list(data.parts[part]) for part in PARTS}
    model = _new_model(data, parts, name, options or {}, reading, describing)
    model.network.to(use_device(training.device))
    notices = [*data.notices, *_started(model, describing.weights)]
    notices += [] if parts["valid"] else [_NONE_HELD_OUT]
    learner = CaptionLearner(model.network, model.preprocessing)
    numbers, (cache, keys) = [*parts["train"], *parts["valid"]], _cache(model, data)
    pictures = Pictures(learner, data.pixels, numbers, show, cache=cache, keys=keys)
    every = data.tokens(model.vocabulary, reading.max_words)
    batches = CaptionBatches(
        pictures,
        [captions[: describing.first_captions] for captions in every],
        parts["train"],
        start=model.vocabulary.start,
        batch_size=training.batch_size,
        captions_per_picture=describing.captions_per_picture,
        seed=training.seed,
    )
    validating = parts["valid"] or parts["train"]
    course = _Course(model, learner, pictures, batches, data, validating)
    course.begin_update(0)
    loop = Training(
        learner,
        batches,
        learner.loss_of,
        course.validate,
        training,
        folder=folder,
        report=report,
        observe=course.observe,
        begin_epoch=batches.begin_epoch,
        begin_update=course.begin_update,
    )
    return Learning(model, learner, loop, batches, data, parts, notices)


def _started(model: CaptioningModel, weights: str | None) -> list[str]:
    """Let the encoder begin from weights, if there are any, and return what is to be said of it."""
    return [] if weights is None else [start_from(model.network.encoder, expand_path(weights))]


@dataclass(frozen=True)
class _Course:
    """What the loop asks for in the course of a run."""

    model: CaptioningModel
    learner: CaptionLearner
    pictures: Pictures
    batches: CaptionBatches
    data: CaptioningData
    validating: list[int]

    def begin_update(self, updates: int) -> None:
        """Freeze the encoder, or let it learn, as is due after so many updates."""
        frozen = self.model.describing.frozen_at(updates)
        if self.learner.captioner.frozen != frozen:
            self.learner.captioner.frozen = frozen

    def validate(self, poll: Poll) -> float:
        """Return nats per word of the captions that choose the best weights."""
        captions, start = self.batches.captions, self.batches.start
        return mean_nats(self.learner, self.pictures, captions, self.validating, start, poll)

    def observe(self, progress: Progress) -> dict[str, Any]:
        """Return what to log of a step: at validations, the captions of a few pictures."""
        if progress.validation is None:
            return {}
        numbers = self.validating[:_SAMPLES]
        with evaluating(self.learner):
            found = self.model.describe_batch(self.pictures.batch(numbers), 1)
        pairs = zip(numbers, found, strict=True)
        names = self.data.items
        return {"captions": {names[n].name: best[0].text for n, best in pairs if best}}


def _cache(model: CaptioningModel, data: CaptioningData) -> tuple[TensorCache | None, list[str]]:
    """Return where features are kept from run to run, if they are, and each picture's key."""
    folder = model.describing.cache
    if folder is None:
        return None, []
    settings = {  # weights do not tell all: an encoder may stop before its last pooling
        "encoder": model.model["encoder"],
        "options": {k: v for k, v in model.model["options"].items() if k.startswith("encoder.")},
        "grid": model.grid,
        "preprocessing": model.preprocessing.figures(),
        "frames": model.reading.frames if model.films else None,
    }
    fingerprint = fingerprint_of(model.network.encoder.state_dict(), settings)
    keys = [f"{item.digest} {fingerprint}" for item in data.items]
    return TensorCache(expand_path(folder)), keys


def _new_model(
    data: CaptioningData,
    parts: dict[str, list[int]],
    name: str,
    options: dict[str, Any],
    reading: CaptioningOptions,
    describing: DescribingOptions,
) -> CaptioningModel:
    """Return an untrained model for pictures."""
    # Every one of them, so that a folder stays readable when what is usual changes.
    options = resolved_options(name, describing.encoder, options)
    network = build_captioner(name, describing.encoder, len(data.vocabulary), options)
    smallest = network.encoder.smallest
    if min(reading.height, reading.width) < smallest:
        got = f"{reading.height} x {reading.width}"
        cure = "pass --height and --width"
        raise ConfigError(f"pictures of at least {smallest} pixels a side", got, cure)
    digests = {part: [data.items[n].digest for n in found] for part, found in parts.items()}
    preprocessing = preprocessing_like(
        Preprocessing(reading.height, reading.width, resize=reading.resize),
        None if describing.weights is None else expand_path(describing.weights),
    )
    if not isinstance(preprocessing, Preprocessing):
        raise ConfigError("--weights of a network over pictures", str(describing.weights))
    return CaptioningModel(
        network,
        data.vocabulary,
        preprocessing,
        {"name": name, "encoder": describing.encoder, "options": options},
        reading,
        describing,
        digests,
    )
