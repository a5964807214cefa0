"""Events in time: how many were found, how soon, and how many were invented."""

from collections.abc import Sequence
from typing import NamedTuple

from unrolled.errors import ConfigError


class Event(NamedTuple):
    """Something that lasted from one time to another.

    Args:
        label: what it is.
        start_seconds: when it began.
        end_seconds: when it was over.
        decided_seconds: when it was first said that it is there; of a true event, its beginning.
        probability: the highest that it had; 1 of a true event.
    """

    label: str
    start_seconds: float
    end_seconds: float
    decided_seconds: float
    probability: float = 1.0


class EventScores(NamedTuple):
    """How found events compare with true ones.

    Args:
        f1: the harmonic mean of precision and recall.
        precision: the share of the found that are true.
        recall: the share of the true that are found.
        found: how many of the true ones are found.
    """

    f1: float
    precision: float
    recall: float
    found: int


def overlap(one: Event, other: Event) -> float:
    """Return how much of the time of either is the time of both, 0 to 1.

    Example:
        >>> overlap(Event("a", 0.0, 3.0, 0.0), Event("a", 1.0, 4.0, 1.0))
        0.5
    """
    shared = min(one.end_seconds, other.end_seconds) - max(one.start_seconds, other.start_seconds)
    whole = max(one.end_seconds, other.end_seconds) - min(one.start_seconds, other.start_seconds)
    return max(0.0, shared) / whole if whole > 0 else float(one == other)


def match(
    found: Sequence[Event], true: Sequence[Event], *, least_overlap: float
) -> list[int | None]:
    """Return the number of the true event that each found one stands for, or None.

    A found event is compared with the true one of its label that it overlaps most; a true event
    counts once, for the first that fits.

    Source: Lea et al. 2017, arXiv:1611.05267, section 5 (segmental F1).
    """
    if not 0 < least_overlap <= 1:
        raise ConfigError("a least overlap above 0 and up to 1", str(least_overlap))
    taken: set[int] = set()
    numbers: list[int | None] = []
    for event in found:
        same = [k for k, truth in enumerate(true) if truth.label == event.label]
        best = max(same, key=lambda k: overlap(event, true[k]), default=None)
        if best is None or best in taken or overlap(event, true[best]) < least_overlap:
            numbers.append(None)
        else:
            taken.add(best)
            numbers.append(best)
    return numbers


def event_f1(
    found: Sequence[Event], true: Sequence[Event], *, least_overlap: float = 0.5
) -> EventScores:
    """Return how many events were found with the right label and about the right time.

    Where nothing was there and nothing was found, all three figures are 1.

    Args:
        found: in order of time.
        true: what there was.
        least_overlap: of the time of both, so that a found event counts.
    Source: Lea et al. 2017, arXiv:1611.05267, section 5: F1 at an overlap.
    Example:
        >>> wave = Event("wave", 1.0, 3.0, 1.0)
        >>> event_f1([wave._replace(end_seconds=2.5), wave._replace(label="clap")], [wave])
        EventScores(f1=0.6666666666666666, precision=0.5, recall=1.0, found=1)
    """
    right = sum(number is not None for number in match(found, true, least_overlap=least_overlap))
    precision = right / len(found) if found else float(not true)
    recall = right / len(true) if true else float(not found)
    total = precision + recall
    return EventScores(2 * precision * recall / total if total else 0.0, precision, recall, right)


def seconds_to_decide(found: Sequence[Event], true: Sequence[Event]) -> list[float | None]:
    """Return, for each true event, how long after its beginning it was first named; or None.

    The first found event of the same label that shares any time with it counts. One that was
    named before it began counts as 0.

    Example:
        >>> truth = Event("wave", 1.0, 3.0, 1.0)
        >>> seconds_to_decide([Event("wave", 1.2, 3.0, 1.5)], [truth])
        [0.5]
    """
    delays: list[float | None] = []
    for truth in true:
        same = [e for e in found if e.label == truth.label and overlap(e, truth) > 0]
        first = min((event.decided_seconds for event in same), default=None)
        delays.append(None if first is None else max(0.0, first - truth.start_seconds))
    return delays


def false_alarms(found: Sequence[Event], true: Sequence[Event]) -> list[Event]:
    """Return the found events that share no time with a true one of their label.

    Example:
        >>> truth = Event("wave", 1.0, 3.0, 1.0)
        >>> len(false_alarms([truth._replace(label="clap"), truth], [truth]))
        1
    """
    return [
        event
        for event in found
        if not any(event.label == truth.label and overlap(event, truth) > 0 for truth in true)
    ]


def events_of_labels(
    labels: Sequence[str], frames_per_second: float, *, background: str | None = None
) -> list[Event]:
    """Return the stretches of one label each, of frames of which each lasts until the next.

    Args:
        labels: one a frame.
        frames_per_second: of the frames; the first is at 0 s.
        background: the label of stretches that are no event.
    Example:
        >>> [e[:3] for e in events_of_labels(["-", "a", "a", "-"], 2.0, background="-")]
        [('a', 0.5, 1.5)]
    """
    events, start = [], 0
    for stop in range(1, len(labels) + 1):
        if stop == len(labels) or labels[stop] != labels[start]:
            if labels[start] != background:
                begin, end = start / frames_per_second, stop / frames_per_second
                events.append(Event(labels[start], begin, end, begin))
            start = stop
    return events
