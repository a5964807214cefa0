"""Labels that arrive while a video plays: right, soon, and quiet when nothing happens."""

from collections.abc import Sequence
from statistics import fmean, median
from typing import NamedTuple

from unrolled.errors import ShapeError
from unrolled.metrics.events import Event, event_f1, false_alarms, seconds_to_decide


class StreamingScores(NamedTuple):
    """How good the labels of a stream are.

    Args:
        frame_accuracy: the share of frames with the right label, background among them.
        event_frame_accuracy: the share of the frames of events with the right label, or None.
        event_f1: of the events, at an overlap of a half.
        events: how many there were.
        events_found: how many of them were found, at an overlap of a half.
        seconds_to_decide: the median over the events that were named at all, or None.
        events_named: how many were named at all.
        false_alarms_per_hour: events that share no time with a true one of their label.
        hours: of the stream.
    """

    frame_accuracy: float
    event_frame_accuracy: float | None
    event_f1: float
    events: int
    events_found: int
    seconds_to_decide: float | None
    events_named: int
    false_alarms_per_hour: float
    hours: float


def frame_accuracy(labels: Sequence[str], truth: Sequence[str]) -> float:
    """Return the share of frames that have the right label.

    Raises:
        ShapeError: there are no frames, or not as many as truths.
    Example:
        >>> frame_accuracy(["a", "b", "b", "-"], ["a", "a", "b", "-"])
        0.75
    """
    if not truth or len(labels) != len(truth):
        got = f"{len(labels)} and {len(truth)}"
        raise ShapeError("as many labels as truths, one at least", got)
    return fmean(label == true for label, true in zip(labels, truth, strict=True))


def streaming_scores(
    labels: Sequence[str],
    truth: Sequence[str],
    found: Sequence[Event],
    true: Sequence[Event],
    *,
    frames_per_second: float,
    background: str | None = None,
) -> StreamingScores:
    """Return every figure of one stream.

    Args:
        labels: what was said, one a frame.
        truth: what was true, one a frame.
        found: the events that were said, in order of time.
        true: the events that there were.
        frames_per_second: of the frames.
        background: the label of frames in which nothing happens.
    """
    hours = len(truth) / frames_per_second / 3600
    pairs = [(said, was) for said, was in zip(labels, truth, strict=True) if was != background]
    scores = event_f1(found, true)
    delays = [delay for delay in seconds_to_decide(found, true) if delay is not None]
    return StreamingScores(
        frame_accuracy=frame_accuracy(labels, truth),
        event_frame_accuracy=fmean(said == was for said, was in pairs) if pairs else None,
        event_f1=scores.f1,
        events=len(true),
        events_found=scores.found,
        seconds_to_decide=median(delays) if delays else None,
        events_named=len(delays),
        false_alarms_per_hour=len(false_alarms(found, true)) / hours,
        hours=hours,
    )
