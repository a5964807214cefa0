"""How well a video model labels clips that it has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.errors import ReaderError
from unrolled.tasks.learning import Show
from unrolled.tasks.parts import wanted_part
from unrolled.tasks.video.clips import Clips
from unrolled.tasks.video.data import VideoData, read_video_data
from unrolled.tasks.video.keeping import kept_for
from unrolled.tasks.video.model import VideoModel, clip_probabilities, mean_nats
from unrolled.tasks.video.options import Average, VideoOptions
from unrolled.training.modes import evaluating

_TOP = 5


@dataclass(frozen=True)
class VideoScore:
    """The figures of a model on samples.

    Args:
        part: which samples.
        class_names: in the order of the probabilities.
        names: of the samples.
        labels: ``[N]``.
        probabilities: ``[N, classes]``.
        seen_in_training: samples left out because the model was trained on them.
        unknown: samples left out because the model has no class for their label.
        rejected: samples that cannot be read, with the reason.
        damaged: samples that were read as far as they can be, with the damage.
    """

    part: str
    class_names: tuple[str, ...]
    names: tuple[str, ...]
    labels: Tensor
    probabilities: Tensor
    seen_in_training: int = 0
    unknown: int = 0
    rejected: tuple[tuple[str, str], ...] = ()
    damaged: tuple[tuple[str, str], ...] = ()

    @property
    def ranks(self) -> Tensor:
        """The place of the right class of every sample, 0 for the likeliest, ``[N]``.

        Of classes that are equally likely, the one with the lower number counts as likelier.
        """
        order = self.probabilities.argsort(dim=1, descending=True, stable=True)
        return (order == self.labels[:, None]).int().argmax(1)

    @property
    def confusion(self) -> Tensor:
        """How many samples of each class (rows) were given each label (columns)."""
        count = len(self.class_names)
        found = self.probabilities.argmax(1)
        return torch.bincount(self.labels * count + found, minlength=count**2).view(count, count)

    @property
    def top1(self) -> float:
        """The share whose likeliest class is right."""
        return float((self.ranks < 1).double().mean())

    @property
    def top5(self) -> float | None:
        """The share with the right class among the five likeliest; None of five or fewer."""
        if len(self.class_names) <= _TOP:
            return None
        return float((self.ranks < _TOP).double().mean())

    @property
    def per_class(self) -> dict[str, float | None]:
        """The share of each class that is right; None where there are no samples of it."""
        counts = self.confusion
        return {
            name: float(counts[k, k] / counts[k].sum()) if counts[k].sum() else None
            for k, name in enumerate(self.class_names)
        }

    @property
    def majority(self) -> float:
        """What always naming the commonest class would get."""
        return float(self.confusion.sum(1).max() / len(self.labels))

    def headline(self) -> dict[str, Any]:
        """Return the figures that a run reports."""
        known = [share for share in self.per_class.values() if share is not None]
        return {
            "part": self.part,
            "clips": len(self.labels),
            "top1": self.top1,
            "top5": self.top5,
            "mean_class_top1": sum(known) / len(known),
            "majority_top1": self.majority,
            "nats_per_clip": mean_nats(self.probabilities, self.labels),
        }

    def figures(self) -> dict[str, Any]:
        """Return all figures for a report; used and rejected, seen and unknown are the total."""
        left_out = self.seen_in_training + self.unknown + len(self.rejected)
        return {
            **self.headline(),
            "per_class": self.per_class,
            "confusion": self.confusion.tolist(),
            "class_names": list(self.class_names),
            "used": len(self.labels),
            "rejected": [list(fault) for fault in self.rejected],
            "damaged": [list(fault) for fault in self.damaged],
            "seen_in_training": self.seen_in_training,
            "unknown": self.unknown,
            "total": len(self.labels) + left_out,
        }


def evaluate_samples(
    model: VideoModel,
    clips: Clips,
    numbers: Sequence[int],
    *,
    part: str,
    views: tuple[int, int],
    average: Average | None = None,
    labels: Sequence[int] | None = None,
) -> VideoScore:
    """Score a model on samples.

    Args:
        model: a trained model.
        clips: where the samples are.
        numbers: of the samples.
        part: what they are called.
        views: how many clips of each, and parts of the frame.
        average: what is averaged; None for what the model was trained with.
        labels: of the samples, where they are not those of the data.
    """
    samples = [clips.data.samples[n] for n in numbers]
    if not samples:
        raise ReaderError(f"clips of the part {part!r}", "none")
    with evaluating(model.driven):
        probabilities = clip_probabilities(
            model.driven, clips, numbers, views=views, average=average or model.reading.average
        )
    found = torch.tensor(labels if labels is not None else [s.label for s in samples])
    names = tuple(sample.name for sample in samples)
    return VideoScore(part, model.class_names, names, found, probabilities)


def evaluate_data(
    model: VideoModel,
    source: str | VideoData,
    *,
    part: str | None = None,
    reading: VideoOptions | None = None,
    average: Average | None = None,
    show: Show = lambda *_: None,
) -> VideoScore:
    """Score a model on data: its held-out part, or what of other data it has not seen.

    Args:
        model: a trained model.
        source: what the model was trained on, or other data with the same classes.
        part: "train", "valid", "test", "held-out" (test, or else valid) or "all"; None takes the
            held-out part where there is any of it in the data, and else all that is not seen.
        reading: how the data is found and judged, where not as the model's own was.
        average: what is averaged; None for what the model was trained with.
        show: is told how far it is.
    Raises:
        ReaderError: there is nothing to score.
        ConfigError: no such part.
    """
    reading = reading or model.reading
    chosen = choose_clips(model, source, part=part, reading=reading, show=show)
    score = evaluate_samples(
        model,
        chosen.clips,
        range(len(chosen.labels)),
        part=chosen.part,
        views=(reading.test_clips, reading.test_crops),
        average=average,
        labels=chosen.labels,
    )
    data = chosen.clips.data
    return replace(
        score,
        seen_in_training=chosen.seen_in_training,
        rejected=data.rejected,
        damaged=data.damaged,
    )


class Chosen(NamedTuple):
    """Samples that a model is to be judged by.

    Args:
        part: what they are called.
        clips: the samples, all of them.
        labels: of each, as the model counts classes.
        seen_in_training: how many were left out because the model was trained on them.
    """

    part: str
    clips: Clips
    labels: list[int]
    seen_in_training: int


def choose_clips(
    model: VideoModel,
    source: str | VideoData,
    *,
    part: str | None = None,
    reading: VideoOptions | None = None,
    show: Show = lambda *_: None,
) -> Chosen:
    """Read what of the data a model is to be judged by; see ``evaluate_data``."""
    reading = reading or model.reading
    data = read_video_data(source, reading) if isinstance(source, str) else source
    places = {name: k for k, name in enumerate(model.class_names)}
    known = [s for s in data.samples if data.class_names[s.label] in places]
    digests = [sample.digest for sample in known]
    part, wanted, seen = wanted_part(model.parts, digests, part, what="clips")
    chosen = [
        n
        for n, sample in enumerate(data.samples)
        if data.class_names[sample.label] in places and sample.digest in wanted
    ]
    data, _ = kept_for(data.only(chosen), reading, preprocessing=model.preprocessing, show=show)
    clips = Clips(data, model.preprocessing, model.clip_frames)
    labels = [places[data.class_names[sample.label]] for sample in data.samples]
    return Chosen(part, clips, labels, seen)
