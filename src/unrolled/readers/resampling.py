"""From the frames that a source has to those that a model wants, by their times."""

from typing import Generic, TypeVar

from unrolled.errors import ConfigError

ItemT = TypeVar("ItemT")

_ROUNDING = 1e-6  # seconds: a time that was rounded still means the frame that begins there


class Resampler(Generic[ItemT]):
    """Give the frame that is shown at 0, 1/r, 2/r ... seconds after the first one.

        frame(t) = the last one with seconds <= t

    What is shown at a time is known with the next frame, or at once if a frame has that very time.
    Times that fall (a camera that began anew) or that are missing go on from the last.

    Args:
        frames_per_second: r, or None for the frames as they are.
        usual_seconds: from one frame to the next, where times are missing.
        longest_hold_seconds: after a gap of more, the grid of times begins anew with the next
            frame; None holds the last frame however long the gap.
    Raises:
        ConfigError: a rate that is not above 0.
    Source: none.
    Example:
        >>> resampler = Resampler[str](2.0)
        >>> [resampler.push(name, t) for name, t in (("a", 0.0), ("b", 0.7), ("c", 1.0))]
        [[('a', 0.0)], [('a', 0.5)], [('c', 1.0)]]
    """

    def __init__(
        self,
        frames_per_second: float | None,
        *,
        usual_seconds: float = 0.04,
        longest_hold_seconds: float | None = None,
    ) -> None:
        if frames_per_second is not None and not frames_per_second > 0:
            raise ConfigError("frames per second above 0", str(frames_per_second))
        self.frames_per_second, self.usual_seconds = frames_per_second, usual_seconds
        self.longest_hold_seconds = longest_hold_seconds
        self.seconds = 0.0  # of the last frame, on our clock
        self._ahead: float | None = None  # what the source's clock is ahead of ours
        self._shown: ItemT | None = None
        self._number = 0  # of the next time that is wanted, since `_origin`
        self._origin = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether no frame came yet."""
        return self._ahead is None and self.seconds == 0.0

    def push(self, item: ItemT, seconds: float | None) -> list[tuple[ItemT, float]]:
        """Take a frame and its time on the source's clock; return frames and their times on ours.

        Args:
            item: the frame.
            seconds: its time, or None where it is missing.
        """
        now = self._our_clock(seconds)
        if self.frames_per_second is None:
            self.seconds = now
            return [(item, now)]
        hold = self.longest_hold_seconds
        if hold is not None and now - self.seconds > hold:
            self._origin, self._number, self._shown = now, 0, None
        found = []
        while (wanted := self._wanted()) < now - _ROUNDING and self._shown is not None:
            found.append((self._shown, wanted))
            self._number += 1
        if wanted <= now + _ROUNDING:
            found.append((item, wanted))
            self._number += 1
        self._shown, self.seconds = item, now
        return found

    def finish(self) -> list[tuple[ItemT, float]]:
        """Return what is still wanted while the last frame is shown, for as long as is usual."""
        if self.frames_per_second is None or self._shown is None:
            return []
        found = []
        while (wanted := self._wanted()) < self.seconds + self.usual_seconds - _ROUNDING:
            found.append((self._shown, wanted))
            self._number += 1
        return found

    def begin_anew(self, seconds: float) -> None:
        """Take the next frame, whatever its time, for one shown at ``seconds`` on our clock."""
        self._ahead, self._shown = None, None
        self.seconds = self._origin = max(seconds, self.seconds)
        self._number = 0

    def _wanted(self) -> float:
        assert self.frames_per_second is not None
        return self._origin + self._number / self.frames_per_second

    def _our_clock(self, seconds: float | None) -> float:
        usual = self.seconds + (0.0 if self._ahead is None else self.usual_seconds)
        if seconds is None:
            self._ahead = 0.0 if self._ahead is None else self._ahead
            return usual
        if self._ahead is None:
            self._ahead = seconds - self.seconds
        if seconds - self._ahead < self.seconds:  # it began anew
            self._ahead = seconds - usual
        return seconds - self._ahead
