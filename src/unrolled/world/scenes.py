"""Pictures and films to describe: few shapes on a wall, with every caption that is true of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, UInt8

from unrolled.errors import ConfigError
from unrolled.world.clip import Box
from unrolled.world.draws import Draws
from unrolled.world.motion_classes import seed_of
from unrolled.world.rendering import PALETTE
from unrolled.world.scene_grammar import (
    DEEDS,
    NOUNS,
    SCENE_COLOURS,
    SCENE_WORDS,
    SIZES,
    WALLS,
    SceneObject,
    film_captions,
    scene_captions,
    true_of_film,
    true_of_scene,
)
from unrolled.world.silhouette import signed_distance
from unrolled.world.torus import Sprite, paint_on_torus
from unrolled.world.walls import draw_wall

__all__ = ["Scene", "SceneFilm", "SceneObject", "SceneWorld"]

_SHARES = {"small": (0.2, 0.26), "large": (0.36, 0.42)}  # of the shorter side
_FILM_SHARES = (0.2, 0.28)
_TRAVEL = (0.25, 0.4)  # from a film's first frame to its last
_GROWTH = (1.7, 2.0)
_ALONE = 0.3  # of the scenes have one object
_SEEN = (0.5, 0.92)  # of the object behind
_PROBES = 24  # along each side of it, to see how much of it is hidden
_RIM = 0.82  # of a shape's size is inside its darker rim
_HEADINGS = {
    "moves left": (-1, 0),
    "moves right": (1, 0),
    "moves up": (0, -1),
    "moves down": (0, 1),
}
_LIGHTS = PALETTE | {"purple": (165, 60, 205), "white": (245, 245, 245)}
_LIMITS = {"height": 32, "width": 32, "frames": 2, "seed": 0}


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture, what is in it, and its captions.

    Args:
        objects: one or two, the nearest first.
        wall: what is behind: plain, striped, dotted or checked.
        size: height and width of the picture.
        seed: of the wall's pattern.
    """

    objects: tuple[SceneObject, ...]
    wall: str
    size: tuple[int, int]
    seed: int

    @cached_property
    def pixels(self) -> UInt8[np.ndarray, "3 H W"]:
        """The picture, red green blue."""
        return np.asarray(_paint(self.wall, self.size, self.seed, [self.objects])[0])

    @cached_property
    def captions(self) -> tuple[str, ...]:
        """At least five references, all true."""
        return scene_captions(self.objects, self.wall)

    def accepts(self, sentence: str) -> bool:
        """Return whether a sentence is of the grammar and true of the scene."""
        return true_of_scene(sentence, self.objects, self.wall)


@dataclass(frozen=True, eq=False)
class SceneFilm:
    """A film, what is in each of its frames, and captions that say what moves where.

    Args:
        objects: for each of T frames one or two, the nearest first.
        deeds: what each of them does.
        wall: what is behind.
        size: height and width of the pictures.
        seed: of the wall's pattern.
    """

    objects: tuple[tuple[SceneObject, ...], ...]
    deeds: tuple[str, ...]
    wall: str
    size: tuple[int, int]
    seed: int

    @cached_property
    def frames(self) -> UInt8[np.ndarray, "T 3 H W"]:
        """The pictures, red green blue."""
        return _paint(self.wall, self.size, self.seed, self.objects)

    @cached_property
    def captions(self) -> tuple[str, ...]:
        """At least five references, all true."""
        return film_captions(self.objects[0], self.deeds, self.wall)

    def accepts(self, sentence: str) -> bool:
        """Return whether a sentence is of the grammar and true of the film."""
        return true_of_film(sentence, self.objects[0], self.deeds, self.wall)


@dataclass(frozen=True)
class SceneWorld:
    """Scenes without end, each with the captions that are true of it and the boxes of its objects.

    Two objects of a scene have unlike names and stand in one relation of place: the one is left of
    the other, above it, or in front of it. Scene i depends on the seed, i and the sizes alone: on
    any machine it is the same bytes.

    Args:
        seed: of everything.
        height: of a picture in pixels.
        width: of a picture in pixels.
        frames: T, of a film.
    Raises:
        ConfigError: a size is below what can be shown.
    Example:
        >>> scene = SceneWorld(seed=1).scene(1)
        >>> scene.pixels.shape, scene.captions[0]
        ((3, 64, 64), 'a green circle is above a blue square')
        >>> scene.accepts(scene.captions[0])
        True
    """

    seed: int = 0
    height: int = 64
    width: int = 64
    frames: int = 8

    def __post_init__(self) -> None:
        for name, least in _LIMITS.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name} of at least {least}", str(getattr(self, name)))

    @property
    def words(self) -> tuple[str, ...]:
        """All words of the grammar, of scenes and of films."""
        return SCENE_WORDS

    def scene(self, number: int) -> Scene:
        """Return the scene of a number; any takes as long as the first."""
        draws = Draws(seed_of(self.seed, number, 0))
        wall = WALLS[draws.below(len(WALLS))]
        names = _names(draws, 1 if draws.uniform(0.0, 1.0) < _ALONE else 2)
        relation = int(draws.below(3))
        while True:  # until the one behind is hidden in part, and seen
            sizes = [SIZES[draws.below(2)] for _ in names]
            sides = np.array([self._scale * draws.uniform(*_SHARES[size]) for size in sizes])
            centres = self._places(sides, relation, draws)
            if relation < 2 or len(names) == 1:
                break
            shapes = [noun for _, noun in names]
            if _SEEN[0] <= _seen_behind(shapes, centres, sides) <= _SEEN[1]:
                break
        objects = _objects(names, sizes, centres, sides)
        return Scene(objects, wall, (self.height, self.width), seed_of(self.seed, number, 2))

    def film(self, number: int) -> SceneFilm:
        """Return the film of a number; any takes as long as the first."""
        draws = Draws(seed_of(self.seed, number, 1))
        wall = WALLS[draws.below(len(WALLS))]
        names = _names(draws, 1 + int(draws.below(2)))
        moving = list(DEEDS)[1:]
        deeds = [moving[draws.below(len(moving))]]
        deeds += [list(DEEDS)[draws.below(len(DEEDS))] for _ in names[1:]]
        while True:  # until their ways do not cross
            centres, sides = self._ways(deeds, draws)
            least, most = centres - sides[..., None] / 2, centres + sides[..., None] / 2
            low, high = least.min(axis=0), most.max(axis=0)
            if len(names) == 1 or ((low[0] >= high[1]) | (low[1] >= high[0])).any():
                break
        objects = [
            _objects(names, ["", ""], at, wide) for at, wide in zip(centres, sides, strict=True)
        ]
        size = (self.height, self.width)
        return SceneFilm(tuple(objects), tuple(deeds), wall, size, seed_of(self.seed, number, 2))

    @property
    def _scale(self) -> int:
        return min(self.height, self.width)

    def _places(
        self, sides: Float64[np.ndarray, " N"], relation: int, draws: Draws
    ) -> Float64[np.ndarray, "N 2"]:
        """Return centres: of one anywhere; of two with the first left, above or in front."""
        frame = np.array([self.width, self.height], dtype=np.float64)
        if len(sides) == 1:
            return np.asarray(sides[:, None] / 2 + (frame - sides[0]) * draws.uniform(0, 1, 1, 2))
        mean = sides.sum() / 2
        if relation == 2:
            signs = 2 * draws.below(2, 2) - 1
            apart = signs * mean * draws.uniform([0.45, 0.15], [0.7, 0.45], 2)[:: signs[0]]
        else:
            axis = relation
            gap = draws.uniform(0.02 * self._scale, frame[axis] - 2 * mean)
            apart = np.empty(2)
            apart[axis] = mean + gap
            apart[1 - axis] = 0.6 * mean * draws.uniform(-1, 1)
        both = np.stack([np.zeros(2), apart])
        least = (both - sides[:, None] / 2).min(axis=0)
        room = frame - ((both + sides[:, None] / 2).max(axis=0) - least)
        return np.asarray(both - least + room * draws.uniform(0, 1, 2))

    def _ways(
        self, deeds: list[str], draws: Draws
    ) -> tuple[Float64[np.ndarray, "T N 2"], Float64[np.ndarray, "T N"]]:
        """Return where everybody is in every frame, inside it, and how large."""
        time = np.linspace(0.0, 1.0, self.frames)
        frame = np.array([self.width, self.height], dtype=np.float64)
        centres = np.empty((self.frames, len(deeds), 2))
        sides = np.empty((self.frames, len(deeds)))
        for n, deed in enumerate(deeds):
            side = self._scale * draws.uniform(*_FILM_SHARES)
            factor = draws.uniform(*_GROWTH)
            ends = {"grows": (side / factor * 1.2, side * 1.2)}.get(deed, (side, side))
            ends = {"shrinks": (side * 1.2, side / factor * 1.2)}.get(deed, ends)
            sides[:, n] = ends[0] + (ends[1] - ends[0]) * time
            travel = self._scale * draws.uniform(*_TRAVEL) * np.array(_HEADINGS.get(deed, (0, 0)))
            path = travel * time[:, None]
            least = (path - sides[:, n, None] / 2).min(axis=0)
            most = (path + sides[:, n, None] / 2).max(axis=0)
            start = -least + (frame - (most - least)) * draws.uniform(0, 1, 2)
            centres[:, n] = start + path
        return centres, sides


def _names(draws: Draws, count: int) -> list[tuple[str, str]]:
    """Return colours and nouns, no pair twice."""
    kinds = len(SCENE_COLOURS) * len(NOUNS)
    first = int(draws.below(kinds))
    second = (first + 1 + int(draws.below(kinds - 1))) % kinds
    chosen = (divmod(kind, len(NOUNS)) for kind in (first, second)[:count])
    return [(SCENE_COLOURS[colour], NOUNS[noun]) for colour, noun in chosen]


def _objects(
    names: list[tuple[str, str]],
    sizes: list[str],
    centres: Float64[np.ndarray, "N 2"],
    sides: Float64[np.ndarray, " N"],
) -> tuple[SceneObject, ...]:
    corners = np.concatenate([centres - sides[:, None] / 2, centres + sides[:, None] / 2], axis=1)
    boxes = [Box(*corner) for corner in corners.tolist()]
    return tuple(
        SceneObject(noun, colour, size, box)
        for (colour, noun), size, box in zip(names, sizes, boxes, strict=False)
    )


def _paint(
    wall: str, size: tuple[int, int], seed: int, frames: Sequence[Sequence[SceneObject]]
) -> UInt8[np.ndarray, "T 3 H W"]:
    """Paint shapes that are inside the frame, the first the nearest, each with a darker rim."""
    corners = np.array([[thing.box for thing in frame] for frame in frames])
    centres = (corners[..., :2] + corners[..., 2:]) / 2
    sides = corners[..., 2] - corners[..., 0]
    shown = np.ones(len(frames), dtype=np.bool_)
    sprites = []
    for n, thing in reversed(list(enumerate(frames[0]))):
        light = np.broadcast_to(np.array(_LIGHTS[thing.colour], dtype=np.float64), (len(frames), 3))
        for share, shade in ((1.0, light // 2), (_RIM, light)):
            sprites.append(Sprite(thing.noun, centres[:, n], share * sides[:, n], shade, shown))
    return paint_on_torus(draw_wall(wall, *size, Draws(seed)), sprites, len(frames))


def _seen_behind(
    shapes: list[str], centres: Float64[np.ndarray, "2 2"], sides: Float64[np.ndarray, " 2"]
) -> float:
    """Return what share of the second shape the first one does not hide."""
    across = (np.arange(_PROBES) + 0.5) / _PROBES - 0.5
    dx, dy = sides[1] * across[None, :], sides[1] * across[:, None]
    behind = signed_distance(shapes[1], dx, dy, sides[1]) < 0
    between = centres[1] - centres[0]
    front = signed_distance(shapes[0], dx + between[0], dy + between[1], sides[0]) < 0
    return float((behind & ~front).sum() / behind.sum())
