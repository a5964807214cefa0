"""How well a model labels a long stream: clips that it has not seen, joined with idle stretches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.errors import ConfigError, ReaderError
from unrolled.metrics.events import Event, events_of_labels
from unrolled.metrics.streaming import StreamingScores, streaming_scores
from unrolled.readers.joined_clips import Idle, Stretch, joined_clips, windows
from unrolled.state import device_of
from unrolled.streaming import EventDetector
from unrolled.tasks.learning import Show
from unrolled.tasks.video.clips import Clips
from unrolled.tasks.video.data import VideoData
from unrolled.tasks.video.evaluation import choose_clips, evaluate_samples
from unrolled.tasks.video.joined import BACKGROUND, STILL, idle_frames, read_background
from unrolled.tasks.video.model import VideoModel
from unrolled.tasks.video.options import VideoOptions
from unrolled.tasks.video.preprocessing import Preprocessing
from unrolled.training.modes import evaluating

_FRAMES_AT_A_TIME = 32
_HOLD_SECONDS = 0.3  # of an event, as `unrolled stream` has it
_NO_CLOCK_FRAMES_PER_SECOND = 10.0  # of sequences without one


class _Span(NamedTuple):
    start: int  # a frame
    stop: int
    label: int


@dataclass(frozen=True)
class JoinedScore:
    """The figures of a model on one long stream.

    Args:
        scores: of its labels and events.
        minutes: that it lasted.
        clips: how many came in full; after all have come once they come again.
        idle: whether there were idle stretches between them.
        clip_top1: the share of the clips that are right, each by itself, or None.
        stream_top1: the share of the same clips that are right where they come in the stream: by
            the mean of the probabilities of their frames, as by itself.
        labels: what was said of every frame.
        truth: what was true.
        found: the events that were said.
    """

    scores: StreamingScores
    minutes: float
    clips: int
    idle: bool
    clip_top1: float | None
    stream_top1: float
    labels: list[str]
    truth: list[str]
    found: list[Event]

    @property
    def points_lost(self) -> float | None:
        """Percentage points of the clips that are right by themselves, and wrong in the stream."""
        return None if self.clip_top1 is None else 100 * (self.clip_top1 - self.stream_top1)

    def summary(self) -> str:
        """Return the figures in a few lines."""
        s, pauses = self.scores, "with idle stretches" if self.idle else "without pauses"
        share = s.event_frame_accuracy
        within = "" if share is None else f" ({100 * share:.1f} % within clips)"
        lines = [
            f"{100 * s.frame_accuracy:.1f} % of the frames are right{within}, in "
            f"{self.minutes:.1f} minutes of {self.clips:,} clips, one after the other, {pauses}",
            f"event F1 {s.event_f1:.3f} at an overlap of a half: {s.events_found:,} of "
            f"{s.events:,} events found; {s.false_alarms_per_hour:.1f} false alarms an hour",
        ]
        if s.seconds_to_decide is not None:
            lines.append(
                f"{s.seconds_to_decide:.2f} s to decide (median over the {s.events_named:,} events "
                "that were named)"
            )
        if self.clip_top1 is not None and self.points_lost is not None:
            lost = self.points_lost
            lines.append(
                f"{100 * self.stream_top1:.1f} % of the clips are right in the stream, "
                f"{100 * self.clip_top1:.1f} % by themselves: {abs(lost):.1f} points "
                f"{'lost' if lost >= 0 else 'gained'}"
            )
        return "\n".join(lines)

    def figures(self) -> dict[str, Any]:
        """Return the figures for a report."""
        return {
            "minutes": self.minutes,
            "clips_joined": self.clips,
            "idle_stretches": self.idle,
            **self.scores._asdict(),
            "clip_top1": self.clip_top1,
            "stream_top1": self.stream_top1,
            "points_lost": self.points_lost,
        }


def evaluate_joined(
    model: VideoModel,
    clips: Clips,
    numbers: Sequence[int],
    *,
    labels: Sequence[int] | None = None,
    idle: Idle,
    minutes: float = 10.0,
    clip_top1: float | None = None,
    seed: int = 0,
    show: Show = lambda *_: None,
) -> JoinedScore:
    """Join clips to a long stream, label it frame by frame, and say how good that is.

    A model without a class for background is given the clips one after the other, without idle
    stretches. A network over clips sees a window that slides by a quarter of its length.

    Args:
        model: a trained model.
        clips: where the samples are.
        numbers: of the samples.
        labels: of the samples by number, where they are not those of the data.
        idle: what idle stretches are made of.
        minutes: how long the stream is.
        clip_top1: what the model has on the same clips, for comparison.
        seed: of the order and of the idle stretches.
        show: is told how far it is.
    Raises:
        ReaderError: there are no clips.
    """
    _require_some(numbers)
    names = model.class_names
    background = names.index(BACKGROUND) if BACKGROUND in names else None
    rate = model.preprocessing.frames_per_second or _NO_CLOCK_FRAMES_PER_SECOND
    label_of = labels or [sample.label for sample in clips.data.samples]
    join = joined_clips(
        lambda place, _draws: _middle(clips, numbers[place]),
        [label_of[n] for n in numbers],
        idle=None if background is None else idle,
        idle_frames=idle_frames(model.clip_frames),
        background=-1 if background is None else background,
        seed=seed,
    )
    detector = EventDetector(
        names, background=BACKGROUND if BACKGROUND in names else None, hold_seconds=_HOLD_SECONDS
    )
    spans: list[_Span] = []
    truth: list[int] = []
    probabilities: list[Tensor] = []
    wanted = max(1, round(60 * minutes * rate))
    with evaluating(model.driven):
        for p, target in _labelled(model, _recorded(join, spans)):
            truth += target.tolist()
            probabilities.append(p)
            show(min(1.0, len(truth) / wanted), "labelling")
            if len(truth) >= wanted:
                break
    judged = [span for span in spans if span.label != background]
    true = [names[k] for k in truth[:wanted]]
    return _judged(torch.cat(probabilities)[:wanted], true, rate, detector, judged, clip_top1)


def evaluate_live(
    model: VideoModel,
    source: str | VideoData,
    minutes: float = 10.0,
    background: str | None = None,
    *,
    part: str | None = None,
    reading: VideoOptions | None = None,
    show: Show = lambda *_: None,
) -> JoinedScore:
    """Join what is held out of the data to one stream, and compare it with clip by clip.

    Args:
        model: a trained model.
        source: as ``evaluate_data`` takes it.
        minutes: of the stream.
        background: what idle stretches are made of; None for what the model learnt from.
        part: as ``evaluate_data`` takes it.
        reading: as ``evaluate_data`` takes it.
        show: is told how far it is.
    Raises:
        ConfigError: no time, or a background for a model that has learnt none.
    """
    if not 0 < minutes < float("inf"):
        raise ConfigError("minutes above 0", str(minutes))
    if background is not None and BACKGROUND not in model.class_names:
        cure = "train with --background, or leave it out here"
        raise ConfigError(f"a model with a class {BACKGROUND!r}", "none", cure)
    reading = reading or model.reading
    chosen = choose_clips(model, source, part=part, reading=reading, show=show)
    numbers = range(len(chosen.labels))
    views = (reading.test_clips, reading.test_crops)
    alone = evaluate_samples(
        model, chosen.clips, numbers, part=chosen.part, views=views, labels=chosen.labels
    )
    name = background or model.reading.background or STILL
    return evaluate_joined(
        model,
        chosen.clips,
        numbers,
        labels=chosen.labels,
        idle=read_background(name, chosen.clips, numbers),
        minutes=minutes,
        clip_top1=alone.top1,
        show=show,
    )


def _judged(
    probabilities: Tensor,
    truth: list[str],
    rate: float,
    detector: EventDetector,
    clips: list[_Span],
    clip_top1: float | None,
) -> JoinedScore:
    labels = [detector.class_names[k] for k in probabilities.argmax(-1).tolist()]
    said = [detector.update(n / rate, p) for n, p in enumerate(probabilities.tolist())]
    said.append(detector.finish(len(truth) / rate))
    found = [event for event in said if event is not None]
    true = events_of_labels(truth, rate, background=detector.background)
    scores = streaming_scores(
        labels, truth, found, true, frames_per_second=rate, background=detector.background
    )
    whole = [clip for clip in clips if clip.stop <= len(truth)]
    right = [probabilities[c.start : c.stop].mean(0).argmax().item() == c.label for c in whole]
    return JoinedScore(
        scores,
        minutes=len(truth) / rate / 60,
        clips=len(whole),
        idle=detector.background is not None,
        clip_top1=clip_top1,
        stream_top1=sum(right) / max(1, len(right)),
        labels=labels,
        truth=truth,
        found=found,
    )


def _require_some(numbers: Sequence[int]) -> None:
    if not numbers:
        raise ReaderError("clips to join", "none")


def _middle(clips: Clips, number: int) -> Tensor:
    """Return all of a sample, cut as the network sees it, not yet scaled."""
    stored, preprocessing = clips.stored(number), clips.preprocessing
    return preprocessing.cut(stored) if isinstance(preprocessing, Preprocessing) else stored


def _recorded(join: Iterator[Stretch], spans: list[_Span]) -> Iterator[Stretch]:
    """Yield the same stretches, and note where they are."""
    start = 0
    for stretch in join:
        stop = start + len(stretch.frames)
        spans.append(_Span(start, stop, stretch.label))
        yield stretch
        start = stop


@torch.no_grad()
def _labelled(model: VideoModel, join: Iterator[Stretch]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield probabilities ``[T, classes]`` and labels ``[T]``, a window at a time, without end."""
    if not model.streams:
        yield from _slid(model, join)
        return
    state, device = None, device_of(model.network)
    for frames, target in windows([join], _FRAMES_AT_A_TIME):
        logits, state = model.driven(model.preprocessing.normalize(frames).to(device), state)
        yield logits[0].softmax(-1).cpu(), target[0]


def _slid(model: VideoModel, join: Iterator[Stretch]) -> Iterator[tuple[Tensor, Tensor]]:
    """Do so with a window that slides: what it says at a frame holds until it looks again."""
    hop, device = max(1, model.clip_frames // 4), device_of(model.network)
    window: Tensor | None = None
    for frames, target in windows([join], hop):
        x = model.preprocessing.normalize(frames).to(device)
        # Causal: the first frame of these is the last that the network sees.
        first = x[:, :1]
        seen = first.expand(-1, model.clip_frames, *x.shape[2:]) if window is None else window
        seen = torch.cat([seen, first], 1)[:, -model.clip_frames :]
        yield model.network(seen).softmax(-1).cpu().expand(hop, -1), target[0]
        window = torch.cat([seen, x[:, 1:]], 1)[:, -model.clip_frames :]
