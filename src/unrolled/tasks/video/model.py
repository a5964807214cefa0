"""Video: say what is done in a clip, at its end or frame by frame."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from unrolled.errors import ConfigError, ReaderError
from unrolled.state import device_of
from unrolled.tasks.learning import Show
from unrolled.tasks.model_folder import read_model, write_model
from unrolled.tasks.video.clips import ClipBatches, Clips
from unrolled.tasks.video.data import VideoData
from unrolled.tasks.video.joined import (
    BACKGROUND,
    JoinedBatches,
    read_background,
    with_background,
)
from unrolled.tasks.video.keeping import cache_of, kept_for, tell
from unrolled.tasks.video.networks import (
    DEFAULT_MODEL,
    AnyRecurrence,
    Network,
    as_recurrence,
    build_video_network,
    describe,
    restore_video_network,
    streams,
)
from unrolled.tasks.video.options import (
    IN_MEMORY,
    Average,
    VideoOptions,
    VideoTrainingOptions,
)
from unrolled.tasks.video.preprocessing import (
    AnyPreprocessing,
    VectorPreprocessing,
    read_preprocessing,
)
from unrolled.tasks.video.weights import feature_clips, frozen_options, options_like, start_from
from unrolled.training.configuration import read_options
from unrolled.training.device import seed_everything, use_device
from unrolled.training.loop import Counters, Poll, Progress, Training
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import RunFolder

_AT_A_TIME = 32  # clips of an evaluation
_LEAST = 1e-12  # of a probability, before its logarithm


@dataclass(frozen=True)
class VideoModel:
    """A network with what is needed to use it.

    Args:
        network: the network itself.
        class_names: what its scores stand for.
        preprocessing: what it sees of a frame.
        model: the name of the network in the registry, and its options; or its class.
        reading: how the clips that it learnt from were taken, and how clips are judged.
        parts: for train, valid and test, the SHA-256 of every sample.
    """

    network: Network
    class_names: tuple[str, ...]
    preprocessing: AnyPreprocessing
    model: dict[str, Any]
    reading: VideoOptions
    parts: dict[str, list[str]]

    @cached_property
    def driven(self) -> AnyRecurrence:
        """The network as a recurrence: logits [B, T / stride, classes] of clips [B, T, ...]."""
        shape = (self.clip_frames, *self.preprocessing.frame)
        return as_recurrence(self.network, shape, len(self.class_names))

    @property
    def clip_frames(self) -> int:
        """Frames of the clips that it learnt from."""
        return self.reading.clip_frames

    @property
    def streams(self) -> bool:
        """Whether it labels every frame as it comes, without looking ahead."""
        return streams(self.driven)

    @classmethod
    def load(cls, folder: str | Path, network: Network | None = None) -> "VideoModel":
        """Read a model folder; the tensors go into ``network``, if one is given."""
        config, tensors = read_model(Path(folder), task="video")
        try:
            names = tuple(map(str, config["class_names"]))
            preprocessing = read_preprocessing(config["preprocessing"])
            reading = read_options(VideoOptions, config["reading"])
            clip = (reading.clip_frames, *preprocessing.frame)
            network = restore_video_network(config["model"], len(names), clip, tensors, network)
            return cls(network, names, preprocessing, config["model"], reading, config["parts"])
        except (KeyError, TypeError, AttributeError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ReaderError(f"a video model in {folder}", reason) from None

    def save(self, folder: str | Path, figures: dict[str, Any]) -> None:
        """Write a model folder, enough by itself to evaluate, predict and stream."""
        config = {
            "model": self.model,
            "class_names": list(self.class_names),
            "preprocessing": self.preprocessing.figures(),
            "reading": asdict(replace(self.reading, cache=IN_MEMORY)),  # a place here, not there
            "parts": self.parts,
            "figures": figures,
        }
        write_model(Path(folder), "video", config, self.network.state_dict())


def frame_losses(logits: Tensor, target: Tensor, *, last_only: bool = False) -> Tensor:
    """Return the mean of -ln p(target), over frames and rows.

    Args:
        logits: ``[B, T, classes]``.
        target: ``[B]``, one label for all frames of a row, or ``[B, T]``.
        last_only: take the last frame alone.
    """
    if target.ndim == 1:
        target = target[:, None].expand(logits.shape[:2])
    if last_only:
        logits, target = logits[:, -1:], target[:, -1:]
    return F.cross_entropy(logits.flatten(0, 1), target.flatten())


def averaged(logits: Tensor, average: Average) -> Tensor:
    """Return the probabilities ``[classes]`` of all views and frames ``[N, T, classes]``.

    Example:
        >>> logits = torch.tensor([[[0.0, 0.0], [4.0, 0.0]]])
        >>> averaged(logits, "probabilities").tolist() == averaged(logits, "logits").tolist()
        False
    """
    scores = logits.flatten(0, 1).double()
    if average == "logits":
        return scores.mean(0).softmax(-1)
    return scores.softmax(-1).mean(0)


@torch.no_grad()
def clip_probabilities(
    driven: AnyRecurrence,
    clips: Clips,
    numbers: Sequence[int],
    *,
    views: tuple[int, int],
    average: Average,
    poll: Poll = lambda: None,
) -> Tensor:
    """Return the probabilities of every sample, ``[N, classes]``.

    Args:
        driven: gives logits ``[B, T / stride, classes]``, in eval().
        clips: where the samples are.
        numbers: of the samples.
        views: how many clips of each, and parts of the frame.
        average: what is averaged.
        poll: is called between batches.
    """
    device = device_of(driven)
    waiting: list[Tensor] = []
    counts: list[int] = []
    found: list[Tensor] = []

    def flush() -> None:
        if waiting:
            poll()
            logits = driven(torch.cat(waiting).to(device))[0].cpu()
            found.extend(averaged(part, average) for part in logits.split(counts))
            waiting.clear()
            counts.clear()

    for number in numbers:
        x = clips.views(number, clips=views[0], crops=views[1])
        waiting.append(x)
        counts.append(len(x))
        if sum(counts) >= _AT_A_TIME:
            flush()
    flush()
    return torch.stack(found)


def mean_nats(probabilities: Tensor, labels: Tensor) -> float:
    """Return the mean of -ln p(label)."""
    right = probabilities.gather(1, labels[:, None]).clamp(min=_LEAST)
    return -float(right.log().mean())


@dataclass(frozen=True)
class Learning:
    """A run on clips, ready to begin or to go on.

    Args:
        model: what learns.
        training: the loop; its counters say where it stands.
        batches: what is learnt from.
        clips: all samples.
        parts: samples of train, valid and test, by index.
        options: how the data is read and judged.
        notices: what the caller should know, a sentence each.
    """

    model: VideoModel
    training: Training
    batches: ClipBatches | JoinedBatches
    clips: Clips
    parts: dict[str, list[int]]
    options: VideoOptions
    notices: list[str]

    @property
    def counters(self) -> Counters:
        """Where the run stands."""
        return self.training.counters

    @property
    def validating(self) -> list[int]:
        """The samples that choose the best weights."""
        return self.parts["valid"] or self.parts["train"]

    @property
    def held_out(self) -> list[int]:
        """The samples that figures are of: test, or else valid."""
        return self.parts["test"] or self.parts["valid"]


def prepare(
    data: VideoData,
    name: str | Network = DEFAULT_MODEL,
    options: dict[str, Any] | None = None,
    *,
    reading: VideoOptions = VideoOptions(),  # noqa: B008 (frozen)
    training: TrainingOptions = VideoTrainingOptions(),  # noqa: B008 (frozen)
    folder: RunFolder | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    show: Show = lambda *_: None,
) -> Learning:
    """Get a run on clips ready.

    Args:
        data: the samples.
        name: of the network or cell in the registry, or a network.
        options: of the network, where it has a name.
        reading: how clips are taken and judged.
        training: how long and how.
        folder: where log and checkpoints go.
        report: is told of every update and validation.
        show: is told how far reading is.
    """
    seed_everything(training.seed)
    reading = reading.still if reading.freeze else reading
    data, preprocessing = kept_for(data, reading, show=show)
    parts = data.parts(reading)
    if isinstance(preprocessing, VectorPreprocessing):
        preprocessing = preprocessing.fitted([data.read(n) for n in parts["train"]])
    clips = Clips(data, preprocessing, reading.clip_frames)
    notices = tell(data, parts)
    digests = {part: [data.samples[n].digest for n in found] for part, found in parts.items()}
    model = _new_model(name, options or {}, clips, reading, digests)
    model.network.to(use_device(training.device))
    if reading.weights is not None:
        notices.append(start_from(model.network, reading.weights))
    if not model.streams and training.window < reading.clip_frames:
        expected = f"a window of at least {reading.clip_frames} for a network over whole clips"
        raise ConfigError(expected, str(training.window), "pass a longer --window")
    if not model.streams and reading.background is not None:
        raise ConfigError("--background with a network that streams", str(model.model.get("name")))
    learner, seen = model.driven, clips
    if reading.freeze:
        learner, seen = feature_clips(model.network, clips, cache_of(reading), show)
    batches = _batches(seen, parts["train"], reading, training, model.class_names)
    loop = Training(
        learner,
        batches,
        partial(frame_losses, last_only=reading.loss_frames == "last" and not reading.background),
        _validation(learner, seen, parts["valid"] or parts["train"], reading),
        training,
        folder=folder,
        report=report,
        begin_epoch=batches.begin_epoch,
    )
    return Learning(model, loop, batches, clips, parts, reading, notices)


def _new_model(
    name: str | Network,
    options: dict[str, Any],
    clips: Clips,
    reading: VideoOptions,
    digests: dict[str, list[str]],
) -> VideoModel:
    """Return an untrained model for clips."""
    options = options_like(name, options, reading.weights)
    if reading.freeze:
        options = frozen_options(name, options)
    class_names = with_background(clips.data.class_names, reading)
    clip = (reading.clip_frames, *clips.preprocessing.frame)
    network = build_video_network(name, len(class_names), options, clip)
    about = describe(name, options)
    return VideoModel(network, class_names, clips.preprocessing, about, reading, digests)


def _validation(
    driven: AnyRecurrence, clips: Clips, numbers: Sequence[int], reading: VideoOptions
) -> Callable[[Poll], float]:
    """Return what measures nats per clip on some samples."""
    labels = torch.tensor([clips.data.samples[n].label for n in numbers])
    views = (reading.test_clips, reading.test_crops)

    def validate(poll: Poll) -> float:
        found = clip_probabilities(
            driven, clips, numbers, views=views, average=reading.average, poll=poll
        )
        return mean_nats(found, labels)

    return validate


def _batches(
    clips: Clips,
    numbers: Sequence[int],
    reading: VideoOptions,
    training: TrainingOptions,
    class_names: Sequence[str],
) -> ClipBatches | JoinedBatches:
    """Return what an epoch learns from: clips, each by itself, or joined with idle stretches."""
    batch_size, window, seed = training.batch_size, training.window, training.seed
    if reading.background is None:
        return ClipBatches(clips, numbers, reading, batch_size=batch_size, window=window, seed=seed)
    return JoinedBatches(
        clips,
        numbers,
        reading,
        idle=read_background(reading.background, clips, numbers),
        background=class_names.index(BACKGROUND),
        batch_size=batch_size,
        window=window,
        seed=seed,
    )
