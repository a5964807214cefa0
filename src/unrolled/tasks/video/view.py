"""What the report of the video task shows: clips judged, a clip streamed, what the network sees."""

import time
from dataclasses import dataclass
from pathlib import Path

import torch
from markupsafe import Markup
from torch import Tensor

from unrolled.reports.pictures import film_strip, heat_map, path_drawing, timeline
from unrolled.streaming import Stream
from unrolled.tasks.video.clips import Clips, hold
from unrolled.tasks.video.evaluation import VideoScore
from unrolled.tasks.video.model import Learning
from unrolled.tasks.video.preprocessing import Preprocessing
from unrolled.training.modes import evaluating

_JUDGED, _GUESSES, _SEEN = 6, 5, 3
_ROWS = 8  # classes of a timeline
_LONGEST = 400  # frames of a timeline
_PLANE = 2


@dataclass(frozen=True)
class Judged:
    """One clip and what the network says of it.

    Args:
        name: of the sample.
        label: its class.
        picture: of its frames.
        guesses: the likeliest classes: name, percent, whether it is right.
    """

    name: str
    label: str
    picture: Markup
    guesses: list[tuple[str, float, bool]]


@dataclass(frozen=True)
class Confusion:
    """The confusion matrix, a row a class: its name, its clips, and (count, share) a column."""

    names: tuple[str, ...]
    rows: list[tuple[str, int, list[tuple[int, float]]]]


@dataclass(frozen=True)
class Streamed:
    """A clip labelled frame by frame.

    Args:
        name: of the sample.
        label: its class.
        drawing: how likely each class is as the clip goes on.
        milliseconds_per_frame: that the network took, one stream alone.
        difference: the largest, of the probabilities, from those of the whole clip at once.
    """

    name: str
    label: str
    drawing: Markup
    milliseconds_per_frame: float
    difference: float


def look_at_judged(learning: Learning, score: VideoScore) -> tuple[list[Judged], list[Judged]]:
    """Return a few clips that are right, and those that are wrong with the greatest confidence."""
    found = score.probabilities.argmax(1) == score.labels
    sure = score.probabilities.max(1).values
    right = _spread(found.nonzero().flatten().tolist())
    wrong = sorted((~found).nonzero().flatten().tolist(), key=lambda n: -float(sure[n]))[:_JUDGED]
    places = {sample.name: n for n, sample in enumerate(learning.clips.data.samples)}

    def judged(number: int) -> Judged:
        label = int(score.labels[number])
        best = score.probabilities[number].topk(min(_GUESSES, len(score.class_names)))
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return Judged(
            Path(score.names[number]).name,
            score.class_names[label],
            picture_of(learning.clips, places[score.names[number]]),
            [(score.class_names[k], 100 * value, k == label) for k, value in pairs],
        )

    return [judged(n) for n in right], [judged(n) for n in wrong]


def picture_of(clips: Clips, number: int) -> Markup:
    """Return what the network sees of a sample's middle clip."""
    stored, preprocessing = clips.stored(number), clips.preprocessing
    start = max(0, len(stored) - clips.clip_frames) // 2
    clip = stored[hold(start, 1.0, clips.clip_frames, len(stored))]
    words = Path(clips.data.samples[number].name).name
    if not isinstance(preprocessing, Preprocessing):
        drawn = path_drawing if clip.shape[1] == _PLANE else heat_map
        return drawn(clip, words=words)
    return film_strip(preprocessing.cut(clip)[:, :3], words=words)


def look_at_confusion(score: VideoScore) -> Confusion:
    """Return the matrix as a page shows it."""
    counts = score.confusion.tolist()
    rows = [
        (name, sum(row), [(count, count / max(1, sum(row))) for count in row])
        for name, row in zip(score.class_names, counts, strict=True)
    ]
    return Confusion(score.class_names, rows)


@torch.no_grad()
def look_at_stream(learning: Learning, score: VideoScore) -> Streamed | None:
    """Push the longest sample that was scored through a stream; None for a network over clips."""
    model, clips = learning.model, learning.clips
    if not model.streams:
        return None
    places = {sample.name: n for n, sample in enumerate(clips.data.samples)}
    number = max((places[name] for name in score.names), key=lambda n: len(clips.stored(n)))
    x = clips.whole(number)[:_LONGEST]
    with evaluating(model.driven):
        whole, _ = model.driven(x[None])
        began = time.perf_counter()
        stream = Stream(model.driven)
        pushed = torch.stack([stream.push(frame[None])[0] for frame in x])
        seconds = time.perf_counter() - began
    shares = pushed.softmax(-1)
    top = shares.max(0).values.topk(min(_ROWS, shares.shape[1])).indices.sort().values
    rate = clips.data.frames_per_second
    clock = [None if rate is None else step / rate for step in range(len(x))]
    sample = clips.data.samples[number]
    return Streamed(
        Path(sample.name).name,
        model.class_names[sample.label],
        timeline(shares[:, top], [model.class_names[k] for k in top.tolist()], clock),
        1000 * seconds / len(x),
        float((shares - whole[0].softmax(-1)).abs().max()),
    )


def look_at_input(learning: Learning) -> list[tuple[str, str, Markup]]:
    """Return name, label and picture of clips of the first classes, as the network sees them."""
    found: dict[int, tuple[str, str, Markup]] = {}
    samples = learning.clips.data.samples
    for number in learning.parts["train"]:
        label = samples[number].label
        if label not in found and len(found) < _SEEN:
            name = Path(samples[number].name).name
            found[label] = (
                name,
                learning.model.class_names[label],
                picture_of(learning.clips, number),
            )
    return list(found.values())


def _spread(numbers: list[int]) -> list[int]:
    step = max(1, len(numbers) // _JUDGED)
    return numbers[::step][:_JUDGED]


def class_rows(score: VideoScore) -> list[tuple[str, int, str, str]]:
    """Return, a row a class: its name, its clips, percent right, and what it is taken for."""
    counts: Tensor = score.confusion
    rows = []
    for k, (name, share) in enumerate(score.per_class.items()):
        others = [(int(n), score.class_names[j]) for j, n in enumerate(counts[k]) if n and j != k]
        taken = ", ".join(f"{other} {n}" for n, other in sorted(others, key=lambda p: -p[0])[:3])
        percent = "-" if share is None else f"{100 * share:.1f}"
        rows.append((name, int(counts[k].sum()), percent, taken))
    return rows
