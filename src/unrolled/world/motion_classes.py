"""Which way does it move? Labelled clips: the label is in their motion, in no frame alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from math import log, pi
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from unrolled.errors import ConfigError
from unrolled.world.clip import FRAME_RATE_HZ
from unrolled.world.draws import Draws
from unrolled.world.narration import SHAPES
from unrolled.world.rendering import PALETTE, background
from unrolled.world.torus import Sprite, paint_on_torus

MOTION_CLASSES = (
    "left",
    "right",
    "up",
    "down",
    "clockwise",
    "counterclockwise",
    "grows",
    "shrinks",
)
IDLE = -1  # the label of a frame in which nothing moves

_HEADINGS = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "up": (0.0, -1.0), "down": (0.0, 1.0)}
_TURNS = {"clockwise": 1.0, "counterclockwise": -1.0}  # y is down: a growing angle is clockwise
_GROWTH = {"grows": 1.0, "shrinks": -1.0}
_SPEEDS = (0.03, 0.07)  # shares of the shorter side a frame
_RADII = (0.12, 0.2)  # of an orbit, shares of the shorter side
_SIZES = (0.25, 0.5)  # shares of the shorter side
_GROWING_FRAMES = (10.0, 18.0)  # from the least size to the greatest
_LIMITS = {"height": 16, "width": 16, "frames": 2, "bystanders": 0, "seed": 0}
_EVENT_FRAMES, _IDLE_FRAMES = (16, 32), (8, 24)  # of the stretches of a stream
_CALM = 0.5  # how much of a background's contrast is left


class MotionClip(NamedTuple):
    """A clip and what moves in it: ``frames, label = world.clip(3)``."""

    frames: UInt8[np.ndarray, "T 3 H W"]
    label: int  # an index of the world's ``classes``, or IDLE


class MotionFilm(NamedTuple):
    """A film of many stretches, and what moves in each of its frames."""

    frames: UInt8[np.ndarray, "T 3 H W"]
    labels: Int64[np.ndarray, " T"]  # indices of the world's ``classes``, or IDLE


@dataclass(frozen=True)
class MotionWorld:
    """Clips in which one shape moves, labelled with the way it does; some stand still beside it.

    The world is a torus: who leaves on one side comes in on the other. Place, size, speed, look
    and background are drawn in the same way for every class, and so every frame by itself has the
    same distribution in all of them: whoever looks at one frame alone is at chance, exactly. (What
    grows begins anew, small, once it is at its greatest; what shrinks, the other way round.)
    Clip i depends on the seed, i and the sizes alone: on any machine it is the same bytes.

    Shapes: frames [T, 3, H, W] uint8, red green blue, at ``FRAME_RATE_HZ``.
    Args:
        seed: of everything.
        height: of a frame in pixels.
        width: of a frame in pixels.
        frames: T, of a clip.
        classes: which of ``MOTION_CLASSES``; the label of a clip is an index of them.
        bystanders: at most so many shapes that stand still.
    Raises:
        ConfigError: a size below what can be shown, or an unknown class.
    Example:
        >>> world = MotionWorld(seed=1, classes=("left", "right"))
        >>> frames, label = world.clip(0)
        >>> frames.shape, world.classes[label]
        ((16, 3, 64, 64), 'right')
    """

    seed: int = 0
    height: int = 64
    width: int = 64
    frames: int = 16
    classes: tuple[str, ...] = MOTION_CLASSES
    bystanders: int = 1

    def __post_init__(self) -> None:
        for name, least in _LIMITS.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name} of at least {least}", str(getattr(self, name)))
        unknown = [name for name in self.classes if name not in MOTION_CLASSES]
        if unknown or not self.classes or len(set(self.classes)) < len(self.classes):
            expected = f"classes among {', '.join(MOTION_CLASSES)}, each once"
            raise ConfigError(expected, ", ".join(self.classes) or "none")

    @property
    def frames_per_second(self) -> float:
        """The rate at which the frames are to be shown."""
        return FRAME_RATE_HZ

    def clip(self, number: int) -> MotionClip:
        """Return the clip of a number; any takes as long as the first."""
        draws = self._draws(number, 0)
        scene = _Scene.drawn(self, draws)
        label = int(draws.below(len(self.classes)))
        return MotionClip(scene.act(self.classes[label], self.frames, draws), label)

    def label(self, number: int) -> int:
        """Return the label of a clip, without drawing its frames.

        Example:
            >>> world = MotionWorld(seed=1)
            >>> [world.label(n) for n in range(3)] == [world.clip(n).label for n in range(3)]
            True
        """
        draws = self._draws(number, 0)
        _Scene.drawn(self, draws)
        return int(draws.below(len(self.classes)))

    def clips(self, start: int = 0) -> Iterator[MotionClip]:
        """Yield clips without end, from that of number ``start`` on; none is kept."""
        while True:
            yield self.clip(start)
            start += 1

    def stream(self, number: int, *, idle_first: bool = True) -> Iterator[MotionClip]:
        """Yield one film without end, a stretch at a time, each with the label of its frames.

        Stretches in which the shape moves and those in which nothing does (``IDLE``) take turns;
        the scene goes on from one to the next.

        Args:
            number: of the film.
            idle_first: begin at rest, and not in full motion.
        Example:
            >>> stretches = MotionWorld().stream(0)
            >>> [(len(s.frames), s.label) for s, _ in zip(stretches, range(4))]
            [(19, -1), (25, 3), (14, -1), (19, 0)]
        """
        draws = self._draws(number, 1)
        scene = _Scene.drawn(self, draws)
        for turn in count():
            if turn or idle_first:
                yield MotionClip(scene.act("", _between(_IDLE_FRAMES, draws), draws), IDLE)
            label = int(draws.below(len(self.classes)))
            length = _between(_EVENT_FRAMES, draws)
            yield MotionClip(scene.act(self.classes[label], length, draws), label)

    def film(self, number: int, num_frames: int, *, idle_first: bool = True) -> MotionFilm:
        """Return the first frames of a stream, with the label of each.

        Args:
            number: of the film.
            num_frames: of it.
            idle_first: begin at rest, and not in full motion.
        Example:
            >>> film = MotionWorld().film(0, 40)
            >>> film.frames.shape, film.labels[[0, 18, 19, 39]].tolist()
            ((40, 3, 64, 64), [-1, -1, 3, 3])
        """
        stretches, length = [], 0
        for stretch in self.stream(number, idle_first=idle_first):
            stretches.append(stretch)
            length += len(stretch.frames)
            if length >= num_frames:
                break
        frames = np.concatenate([stretch.frames for stretch in stretches])
        labels = np.concatenate([np.full(len(s.frames), s.label) for s in stretches])
        return MotionFilm(frames[:num_frames], labels[:num_frames])

    def _draws(self, number: int, form: int) -> Draws:
        return Draws(seed_of(self.seed, number, form))


def seed_of(seed: int, number: int, form: int) -> int:
    """Return one number for three, unlike that of any other three (``form`` is 0, 1 or 2).

    Raises:
        ConfigError: a clip's number is below 0.
    """
    if number < 0:
        raise ConfigError("a clip's number of at least 0", str(number))
    pair = (seed + number) * (seed + number + 1) // 2 + number  # Cantor's: neither bounds the other
    return 3 * pair + form


def _between(bounds: tuple[int, int], draws: Draws) -> int:
    least, greatest = bounds
    return least + int(draws.below(greatest - least + 1))


class _Shape(NamedTuple):
    """What does not change, and the place and size, shares of the least to the greatest, so far."""

    kind: str
    colour: Float64[np.ndarray, " 3"]
    place: Float64[np.ndarray, " 2"]
    growth: float


class _Scene:
    """A background, shapes that stand still and one that moves: where they are so far."""

    def __init__(
        self, behind: UInt8[np.ndarray, "3 H W"], shapes: list[_Shape], mover: int
    ) -> None:
        self._behind = behind
        self._shapes = shapes
        self._mover = mover

    @classmethod
    def drawn(cls, world: MotionWorld, draws: Draws) -> "_Scene":
        """Draw a scene in which nothing has moved yet."""
        textured = background(world.height, world.width, draws)
        behind = (_CALM * textured + (1 - _CALM) * 96).astype(np.uint8)
        count = 1 + int(draws.below(world.bystanders + 1))
        colours = np.array(list(PALETTE.values()), dtype=np.float64)
        sides = np.array([world.width, world.height])
        shapes = [
            _Shape(
                SHAPES[draws.below(len(SHAPES))],
                np.clip(colours[draws.below(len(colours))] + draws.uniform(-40, 40, 3), 0, 255),
                draws.uniform(0.0, 1.0, 2) * sides,
                float(draws.uniform(0.0, 1.0)),
            )
            for _ in range(count)
        ]
        return cls(behind, shapes, int(draws.below(count)))

    def act(self, motion: str, num_frames: int, draws: Draws) -> UInt8[np.ndarray, "T 3 H W"]:
        """Return the frames of a motion, or of none, and stay where it ends."""
        scale = min(self._behind.shape[1:])
        sprites = []
        for n, shape in enumerate(self._shapes):
            steps = np.zeros(num_frames + 1)
            places, growth = shape.place + steps[:, None], shape.growth + steps
            if n == self._mover and motion:
                places = places + _path(motion, num_frames, draws) * scale
                growth = growth + _growing(motion, num_frames, draws)
            self._shapes[n] = shape._replace(place=places[-1], growth=float(growth[-1]))
            least, greatest = (log(share * scale) for share in _SIZES)
            sizes = np.exp(least + (greatest - least) * (growth % 1.0))[:-1]
            colours = np.broadcast_to(shape.colour, (num_frames, 3))
            everywhere = np.ones(num_frames, dtype=np.bool_)
            sprites.append(Sprite(shape.kind, places[:-1], sizes, colours, everywhere))
        return paint_on_torus(self._behind, sprites, num_frames)


def _path(motion: str, num_frames: int, draws: Draws) -> Float64[np.ndarray, "F 2"]:
    """Return how far the shape has come at each frame, and at the one after the last."""
    speed, radius = float(draws.uniform(*_SPEEDS)), float(draws.uniform(*_RADII))
    phase = float(draws.uniform(0.0, 2 * pi))
    gone = speed * np.arange(num_frames + 1)[:, None]
    if motion in _HEADINGS:
        return np.asarray(gone * _HEADINGS[motion])
    if motion not in _TURNS:
        return np.asarray(gone * 0.0)
    angles = phase + _TURNS[motion] * gone / radius
    around = radius * np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    return np.asarray(around - around[0])


def _growing(motion: str, num_frames: int, draws: Draws) -> Float64[np.ndarray, " F"]:
    """Return by what share of the way from the least size to the greatest it has grown."""
    rate = _GROWTH.get(motion, 0.0) / float(draws.uniform(*_GROWING_FRAMES))
    return np.asarray(rate * np.arange(num_frames + 1))
