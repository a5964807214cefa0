"""The world of motion classes: what a clip shows is what its label says, and no frame tells it."""

from itertools import pairwise

import numpy as np
import pytest

from unrolled.errors import ConfigError
from unrolled.world import IDLE, MOTION_CLASSES, MotionWorld
from unrolled.world.motion_classes import seed_of
from unrolled.world.torus import Sprite, paint_on_torus

SIDE = 48


def alone(name: str, frames: int = 7) -> MotionWorld:
    """Return a world of one class and one shape."""
    return MotionWorld(height=SIDE, width=SIDE, frames=frames, classes=(name,), bystanders=0)


def places(frames: np.ndarray) -> np.ndarray:
    """Return where the shape is: the middle, on the torus, of what differs from the background."""
    behind = np.median(frames, axis=0)  # a shape that moves is nowhere most of the time
    found = []
    for frame in frames.astype(np.float64):
        weights = np.abs(frame - behind).sum(axis=0)
        turns = np.exp(2j * np.pi * (np.arange(SIDE) + 0.5) / SIDE)
        middle = [np.angle((weights.sum(axis=axis) * turns).sum()) for axis in (0, 1)]
        found.append(np.array(middle) % (2 * np.pi) * SIDE / (2 * np.pi))
    return np.array(found)


def steps(frames: np.ndarray) -> np.ndarray:
    """Return the shape's displacements, the short way round the torus."""
    return (np.diff(places(frames), axis=0) + SIDE / 2) % SIDE - SIDE / 2


@pytest.mark.parametrize(
    ("name", "axis", "sign"), [("left", 0, -1), ("right", 0, 1), ("up", 1, -1), ("down", 1, 1)]
)
def test_who_goes_that_way_goes_there_in_every_frame(name: str, axis: int, sign: int) -> None:
    for number in range(8):
        frames, _ = alone(name, frames=32).clip(number)
        moved = steps(frames).sum(axis=0) * sign
        assert moved[axis] > 5
        assert abs(moved[1 - axis]) < 1.5


@pytest.mark.parametrize(("name", "sign"), [("clockwise", 1), ("counterclockwise", -1)])
def test_who_turns_turns_that_way(name: str, sign: int) -> None:
    for number in range(8):
        frames, _ = alone(name, frames=40).clip(number)
        x, y = steps(frames)[:, 0], steps(frames)[:, 1]
        turned = x[:-2] * y[2:] - y[:-2] * x[2:]  # y is down: clockwise is positive
        assert np.sign(np.median(turned)) == sign


@pytest.mark.parametrize(("name", "sign"), [("grows", 1), ("shrinks", -1)])
def test_who_grows_covers_more_but_when_it_begins_anew(name: str, sign: int) -> None:
    frames, _ = alone(name, frames=64).clip(0)
    colourful = frames.max(axis=1).astype(int) - frames.min(axis=1) > 60  # the background is grey
    area = colourful.sum(axis=(1, 2))
    change = sign * np.diff(area)
    assert (change > 0).mean() > 0.7
    assert change.min() < -50  # from the greatest to the least at once


def test_a_frame_by_itself_is_drawn_in_the_same_way_for_every_class() -> None:
    # Held as a law: given the draws, a frame of one class is a frame of another, moved round the
    # torus or along its sizes, and places and sizes are even. Here: no class differs in the mean.
    world = MotionWorld(height=16, width=16, frames=4, bystanders=0)
    labels, shown = [], []
    for number in range(1000):
        frames, label = world.clip(number)
        contrast = np.abs(frames[[0, -1]] - np.median(frames, axis=(2, 3), keepdims=True)[[0, -1]])
        halves = contrast.sum(axis=1)
        features = [halves[:, :8].sum(axis=(1, 2)), halves[:, :, :8].sum(axis=(1, 2))]
        shown.append(np.concatenate([*features, halves.sum(axis=(1, 2))]))
        labels.append(label)
    values, names = np.array(shown), np.array(labels)
    for label in range(len(MOTION_CLASSES)):
        mine, others = values[names == label], values[names != label]
        error = np.sqrt(mine.var(axis=0) / len(mine) + others.var(axis=0) / len(others))
        assert (abs(mine.mean(axis=0) - others.mean(axis=0)) < 4 * error).all(), label


def test_a_clip_is_the_same_whenever_and_in_whatever_order_it_is_asked_for() -> None:
    world = MotionWorld(seed=3, height=24, width=32, frames=5)
    later, first = world.clip(11), world.clip(0)
    assert world.clip(0).frames.tobytes() == first.frames.tobytes()
    assert world.clip(11).frames.tobytes() == later.frames.tobytes()
    assert next(world.clips(11)).frames.tobytes() == later.frames.tobytes()
    assert first.frames.shape == (5, 3, 24, 32)
    assert first.frames.dtype == np.uint8


def test_clips_seeds_and_forms_have_draws_of_their_own() -> None:
    three = [(s, n, f) for s in range(20) for n in range(20) for f in range(3)]
    assert len({seed_of(*values) for values in three}) == len(three)


def test_every_class_comes_up_as_often() -> None:
    world = MotionWorld(height=16, width=16, frames=2)
    counts = np.bincount([world.clip(number).label for number in range(800)])
    assert (abs(counts - 100) < 40).all()  # four standard deviations


def test_a_stream_takes_turns_and_its_scene_goes_on() -> None:
    world = MotionWorld(height=32, width=32, bystanders=0)
    stream = world.stream(5)
    stretches = [next(stream) for _ in range(12)]
    assert [s.label == IDLE for s in stretches] == [True, False] * 6
    for before, after in pairwise(stretches):
        if before.label == IDLE:
            assert (before.frames == before.frames[0]).all()
            assert (after.frames[0] == before.frames[-1]).all()  # it sets off from where it stood
        else:
            assert (before.frames[0] != before.frames[-1]).any()
    assert len({len(s.frames) for s in stretches}) > 3


def test_a_film_begins_at_rest_or_in_full_motion() -> None:
    world = MotionWorld(height=32, width=32, bystanders=0)
    for number in range(5):
        stream = world.stream(number, idle_first=False)
        assert [next(stream).label == IDLE for _ in range(4)] == [False, True] * 2
        film = world.film(number, 9, idle_first=False)
        assert film.labels[0] != IDLE
        assert (film.frames[0] != film.frames[4]).any()
        assert world.film(number, 9).labels[0] == IDLE


def test_a_shape_that_leaves_comes_in_on_the_other_side() -> None:
    shown, colour = np.ones(2, dtype=np.bool_), np.full((2, 3), 255.0)
    centres = np.array([[16.0, 3.0], [-16.0, 19.0]])  # the same place, twice round and once down
    sprite = Sprite("circle", centres, np.full(2, 6.0), colour, shown)
    frames = paint_on_torus(np.zeros((3, 16, 16), dtype=np.uint8), [sprite], 2)
    assert (frames[0] == frames[1]).all()
    assert frames[0, 0, 3, [0, 15]].tolist() == [255, 255]
    assert frames[0, 0, 3, 5:11].sum() == 0


def test_a_shape_covers_its_area_wherever_it_is() -> None:
    shown, colour = np.ones(20, dtype=np.bool_), np.full((20, 3), 200.0)
    centres = np.random.default_rng(0).uniform(-40, 40, (20, 2))
    sprite = Sprite("circle", centres, np.full(20, 9.0), colour, shown)
    frames = paint_on_torus(np.zeros((3, 17, 13), dtype=np.uint8), [sprite], 20)
    areas = frames[:, 0].sum(axis=(1, 2)) / 200
    assert areas == pytest.approx(np.full(20, np.pi * 4.5**2), rel=0.02)


def test_impossible_worlds_are_refused() -> None:
    for options, words in (
        ({"height": 8}, "height of at least 16"),
        ({"classes": ("left", "sideways")}, "classes among left"),
        ({"classes": ()}, "got none"),
        ({"frames": 1}, "frames of at least 2"),
    ):
        with pytest.raises(ConfigError, match=words):
            MotionWorld(**options)
    with pytest.raises(ConfigError, match="number of at least 0"):
        MotionWorld().clip(-1)
    wide = Sprite("circle", np.zeros((1, 2)), np.full(1, 16.0), np.zeros((1, 3)), np.ones(1, bool))
    with pytest.raises(ConfigError, match="smaller than the picture of 16 x 17"):
        paint_on_torus(np.zeros((3, 17, 16), dtype=np.uint8), [wide], 1)
