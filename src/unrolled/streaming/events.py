"""From probabilities, frame by frame, to events that are said once."""

from collections.abc import Sequence

from unrolled.errors import ConfigError
from unrolled.metrics.events import Event

_ROUNDING = 1e-6  # seconds by which times of frames may miss a sum of frame durations


class EventDetector:
    """Say each event once: it begins above one threshold and ends below a lower one.

    A label begins an event when it is the likeliest and has at least ``threshold`` for
    ``hold_seconds`` without a break; the event is over when its probability has been below
    ``release`` for as long, or when another label has begun one. Times are those of the first
    frame above and the first frame below, not of the frames that made it certain.

    Args:
        class_names: in the order of the probabilities.
        background: the class that is no event, or None.
        threshold: a probability, from which on an event begins.
        hold_seconds: how long it must last, and how long a lapse may last.
        release: the probability below which it ends; 0.8 of the threshold if left out.
    Raises:
        ConfigError: a probability outside 0 to 1, a release above the threshold, a negative time,
            or a background that is no class.
    Source: none; a Schmitt trigger, held.
    Example:
        >>> detector = EventDetector(("wave", "-"), background="-", threshold=0.5)
        >>> said = [detector.update(n / 10, [p, 1 - p]) for n, p in enumerate([0.9, 0.8, 0.1])]
        >>> said[2].label, said[2].start_seconds, said[2].end_seconds
        ('wave', 0.0, 0.2)
    """

    def __init__(
        self,
        class_names: Sequence[str],
        *,
        background: str | None = None,
        threshold: float = 0.5,
        hold_seconds: float = 0.0,
        release: float | None = None,
    ) -> None:
        release = 0.8 * threshold if release is None else release
        if not 0 < threshold <= 1:
            raise ConfigError("a threshold above 0 and up to 1", str(threshold))
        if not 0 <= release <= threshold:
            raise ConfigError(f"a release from 0 to the threshold {threshold}", str(release))
        if not hold_seconds >= 0:
            raise ConfigError("hold seconds of at least 0", str(hold_seconds))
        if background is not None and background not in class_names:
            raise ConfigError(f"a background among {', '.join(class_names)}", repr(background))
        self.class_names = tuple(class_names)
        self.background = background
        self.threshold, self.release, self.hold_seconds = threshold, release, hold_seconds
        self.current: Event | None = None  # that has begun and is not over
        self._candidate: Event | None = None  # that may begin, once it has lasted
        self._below_since: float | None = None  # how long the current one has lapsed

    def update(self, seconds: float, probabilities: Sequence[float]) -> Event | None:
        """Take one frame, and return the event that is now known to be over, if one is.

        Args:
            seconds: the time of the frame; times never fall.
            probabilities: one a class.
        """
        self._watch_candidate(seconds, probabilities)
        over = self._watch_current(seconds, probabilities)
        begun = self._candidate
        if begun is None or not self._held(begun.start_seconds, seconds):
            return over
        if self.current is not None:
            below = self._below_since
            over = self._close(begun.start_seconds if below is None else below)
        self.current, self._candidate = begun._replace(decided_seconds=seconds), None
        self._below_since = None
        return over

    def finish(self, seconds: float) -> Event | None:
        """Return the event that the end of the stream cuts off, if one has begun."""
        self._candidate = None
        below = self._below_since
        return None if self.current is None else self._close(seconds if below is None else below)

    def _watch_candidate(self, seconds: float, probabilities: Sequence[float]) -> None:
        label, probability = max(
            zip(self.class_names, probabilities, strict=True), key=lambda pair: pair[1]
        )
        taken = self.current is not None and self.current.label == label
        if label == self.background or probability < self.threshold or taken:
            self._candidate = None
        elif self._candidate is None or self._candidate.label != label:
            self._candidate = Event(label, seconds, seconds, seconds, probability)
        else:
            highest = max(probability, self._candidate.probability)
            self._candidate = self._candidate._replace(probability=highest)

    def _watch_current(self, seconds: float, probabilities: Sequence[float]) -> Event | None:
        if self.current is None:
            return None
        probability = probabilities[self.class_names.index(self.current.label)]
        if probability >= self.release:
            highest = max(probability, self.current.probability)
            self.current = self.current._replace(probability=highest)
            self._below_since = None
            return None
        if self._below_since is None:
            self._below_since = seconds
        return self._close(self._below_since) if self._held(self._below_since, seconds) else None

    def _held(self, since: float, seconds: float) -> bool:
        return seconds - since >= self.hold_seconds - _ROUNDING

    def _close(self, seconds: float) -> Event:
        assert self.current is not None
        over = self.current._replace(end_seconds=seconds)
        self.current, self._below_since = None, None
        return over
