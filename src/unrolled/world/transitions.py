"""Blue to orange, or orange to blue: a patch changes colour somewhere in a clip, some time."""

from dataclasses import dataclass

import numpy as np

from unrolled.errors import ConfigError
from unrolled.world.clip import FRAME_RATE_HZ
from unrolled.world.draws import Draws
from unrolled.world.motion_classes import MotionClip, seed_of
from unrolled.world.narration import SHAPES
from unrolled.world.rendering import background
from unrolled.world.torus import Sprite, paint_on_torus

TRANSITION_CLASSES = ("blue to orange", "orange to blue")

_BLUE, _ORANGE = (55.0, 100.0, 240.0), (245.0, 150.0, 35.0)
_SIZES = (0.2, 0.35)  # shares of the shorter side
_LIMITS = {"height": 16, "width": 16, "frames": 4, "shown_frames": 1, "seed": 0}


@dataclass(frozen=True)
class TransitionWorld:
    """Clips in which a patch appears in one colour, changes to the other, and disappears.

    The patch is blue in ``shown_frames`` frames and orange in as many; the label is which comes
    first. Place, size, shape and background are drawn in the same way for both classes, so that
    both have the same frames, in another order: whoever ignores the order is at chance, exactly.
    The change comes between frame t - 1 and frame t, with t drawn from ``times``: a network can be
    trained on changes at some times and tested on changes at others.

    Shapes: frames [T, 3, H, W] uint8, red green blue, at ``FRAME_RATE_HZ``.
    Args:
        seed: of everything.
        height: of a frame in pixels.
        width: of a frame in pixels.
        frames: T, of a clip.
        shown_frames: how long the patch has each colour.
        times: the first and the last t; None is every time at which the whole of it is seen.
    Raises:
        ConfigError: a size below what can be shown, or times at which it is not seen whole.
    Source: the example of lecture decks on video networks: a 2D network that takes all frames as
        channels has to learn this change anew for every time, a 3D convolution learns it once.
    Example:
        >>> frames, label = TransitionWorld(seed=1, times=(2, 2)).clip(0)
        >>> frames.shape, TRANSITION_CLASSES[label]
        ((16, 3, 32, 32), 'orange to blue')
    """

    seed: int = 0
    height: int = 32
    width: int = 32
    frames: int = 16
    shown_frames: int = 2
    times: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for name, least in _LIMITS.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name} of at least {least}", str(getattr(self, name)))
        first, last = self.shown_frames, self.frames - self.shown_frames
        least, greatest = self._times
        if not first <= least <= greatest <= last:
            expected = f"times from {first} to {last} in clips of {self.frames} frames"
            raise ConfigError(expected, f"{least} to {greatest}")

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the labels."""
        return TRANSITION_CLASSES

    @property
    def frames_per_second(self) -> float:
        """The rate at which the frames are to be shown."""
        return FRAME_RATE_HZ

    @property
    def _times(self) -> tuple[int, int]:
        return self.times or (self.shown_frames, self.frames - self.shown_frames)

    def clip(self, number: int) -> MotionClip:
        """Return the clip of a number; any takes as long as the first."""
        draws = Draws(seed_of(self.seed, number, 2))
        behind = background(self.height, self.width, draws)
        least, greatest = self._times
        change = least + int(draws.below(greatest - least + 1))
        label = int(draws.below(len(TRANSITION_CLASSES)))
        before, after = (_BLUE, _ORANGE) if label == 0 else (_ORANGE, _BLUE)
        t = np.arange(self.frames)
        place = draws.uniform(0.0, 1.0, 2) * [self.width, self.height]
        size = draws.uniform(*_SIZES) * min(self.width, self.height)
        patch = Sprite(
            SHAPES[draws.below(len(SHAPES))],
            np.broadcast_to(place, (self.frames, 2)),
            np.full(self.frames, size),
            np.where((t < change)[:, None], before, after),
            abs(t - change + 0.5) < self.shown_frames,
        )
        return MotionClip(paint_on_torus(behind, [patch], self.frames), label)
