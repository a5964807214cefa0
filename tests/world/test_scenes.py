"""Scenes to describe: what the captions say is what the pixels show."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from unrolled.errors import ConfigError
from unrolled.world import Scene, SceneFilm, SceneObject, SceneWorld
from unrolled.world.scene_grammar import (
    CONVERSES,
    DEEDS,
    NOUNS,
    SCENE_COLOURS,
    SIZES,
    WALLS,
)

WORLD = SceneWorld(seed=3)
SCENES = [WORLD.scene(number) for number in range(150)]
FILMS = [WORLD.film(number) for number in range(60)]
OPPOSITES = {"left of": "right of", "above": "below", "in front of": "behind"}
SAMPLES = {  # red, green and blue of each colour, as a person would name it
    "red": (225, 45, 45),
    "green": (50, 185, 70),
    "blue": (55, 100, 240),
    "yellow": (245, 210, 45),
    "purple": (165, 60, 205),
    "white": (245, 245, 245),
}


def seen(picture: np.ndarray, colour: str) -> np.ndarray:
    """Return which pixels [H, W] have a colour, by looking alone."""
    away = picture.transpose(1, 2, 0).astype(int) - SAMPLES[colour]
    return (np.abs(away).max(axis=2) < 12).astype(bool)


def unlike(scene: Scene) -> bool:
    """Return whether every object has a colour of its own, so that pixels tell which it is."""
    return len({thing.colour for thing in scene.objects}) == len(scene.objects)


def test_a_scene_is_the_same_whatever_came_before() -> None:
    again = SceneWorld(seed=3)
    assert np.array_equal(again.scene(77).pixels, SCENES[77].pixels)
    assert again.scene(77).captions == SCENES[77].captions
    assert np.array_equal(again.film(33).frames, FILMS[33].frames)
    other = SceneWorld(seed=4).scene(77)
    assert (other.captions, other.wall) != (SCENES[77].captions, SCENES[77].wall)


def test_no_two_scenes_are_alike() -> None:
    assert len({scene.pixels.tobytes() for scene in SCENES}) == len(SCENES)
    assert len({film.frames.tobytes() for film in FILMS}) == len(FILMS)


@pytest.mark.parametrize("shown", [SCENES, FILMS], ids=["scenes", "films"])
def test_there_are_five_references_and_all_are_true(shown: list[Scene | SceneFilm]) -> None:
    for each in shown:
        assert len(set(each.captions)) == len(each.captions) >= 5
        assert all(each.accepts(caption) for caption in each.captions)
        assert {w for caption in each.captions for w in caption.split()} <= set(WORLD.words)


def test_everything_that_can_be_said_is_said() -> None:
    captions = " ".join(c for each in (*SCENES, *FILMS) for c in each.captions)
    said = (*NOUNS, *SCENE_COLOURS, *SIZES, *WALLS, *CONVERSES, *OPPOSITES.values())
    assert [phrase for phrase in (*said, *DEEDS, *DEEDS.values()) if phrase not in captions] == []


def test_walls_colours_and_nouns_come_alike() -> None:
    scenes = [WORLD.scene(number) for number in range(600)]
    things = [thing for scene in scenes for thing in scene.objects]
    for counts in (
        Counter(scene.wall for scene in scenes),
        Counter(thing.colour for thing in things),
        Counter(thing.noun for thing in things),
    ):
        assert min(counts.values()) > 0.7 * sum(counts.values()) / len(counts)
    assert 0.2 < sum(len(scene.objects) == 1 for scene in scenes) / len(scenes) < 0.4


def test_an_object_is_where_its_box_says() -> None:
    for scene in filter(unlike, SCENES):
        front = scene.objects[0]  # nothing hides it
        rows, columns = np.nonzero(seen(scene.pixels, front.colour))
        box = front.box
        side = box.right - box.left
        assert columns.min() >= box.left - 1
        assert columns.max() + 1 <= box.right + 1
        assert rows.min() >= box.top - 1
        assert rows.max() + 1 <= box.bottom + 1
        rim = 0.16 * side + 1.5  # a darker rim is inside the box
        assert columns.max() + 1 - columns.min() >= side - 2 * rim
        assert rows.max() + 1 - rows.min() >= side - 3 * rim


def test_boxes_lie_in_the_frame() -> None:
    for world in (WORLD, SceneWorld(height=32, width=50), SceneWorld(height=90, width=40)):
        for number in range(30):
            film = world.film(number)
            for thing in (*world.scene(number).objects, *film.objects[0], *film.objects[-1]):
                assert -1e-9 <= thing.box.left < thing.box.right <= world.width + 1e-9
                assert -1e-9 <= thing.box.top < thing.box.bottom <= world.height + 1e-9


def middles(scene: Scene) -> dict[str, np.ndarray]:
    """Return the middle (x, y) of each colour's pixels."""
    found = {}
    for thing in scene.objects:
        rows, columns = np.nonzero(seen(scene.pixels, thing.colour))
        found[thing.colour] = np.array([columns.mean(), rows.mean()])
    return found


def test_relations_are_what_is_seen() -> None:
    checked = Counter()
    for scene in filter(unlike, SCENES):
        if len(scene.objects) == 1:
            continue
        for relation, opposite in OPPOSITES.items():
            for a, b in permutations(scene.objects):
                said = f"a {a.colour} {a.noun} is {relation} a {b.colour} {b.noun}"
                if not scene.accepts(said):
                    continue
                checked[relation] += 1
                x, y = middles(scene)[b.colour] - middles(scene)[a.colour]
                assert {"left of": x > 0, "above": y > 0}.get(relation, True)
                assert not scene.accepts(said.replace(relation, opposite))
                if relation == "in front of":
                    assert a is scene.objects[0]
                    assert overlap(a, b)
    assert min(checked[relation] for relation in OPPOSITES) > 10


def overlap(a: SceneObject, b: SceneObject) -> bool:
    across = min(a.box.right, b.box.right) - max(a.box.left, b.box.left)
    down = min(a.box.bottom, b.box.bottom) - max(a.box.top, b.box.top)
    return min(across, down) > 0


def test_what_is_behind_is_seen_and_is_hidden_in_part() -> None:
    shares = []
    for scene in filter(unlike, SCENES):
        if len(scene.objects) == 2 and overlap(*scene.objects):
            behind = scene.objects[1]
            alone = Scene((behind,), scene.wall, scene.size, scene.seed)
            whole = seen(alone.pixels, behind.colour).sum()
            shares.append(seen(scene.pixels, behind.colour).sum() / whole)
    assert len(shares) > 20
    assert min(shares) > 0.3
    assert max(shares) < 1


@pytest.mark.parametrize("number", range(12))
def test_a_change_of_any_word_is_noticed(number: int) -> None:
    scene = SCENES[number]
    thing = scene.objects[0]
    others = {other.colour for other in scene.objects}, {other.noun for other in scene.objects}
    colour = next(c for c in SCENE_COLOURS if c not in others[0])
    noun = next(n for n in NOUNS if n not in others[1])
    wall = next(w for w in WALLS if w != scene.wall)
    size = {"small": "large", "large": "small"}[thing.size]
    name = f"{thing.colour} {thing.noun}"
    assert scene.accepts(f"a {thing.size} {name} on a {scene.wall} wall")
    for untrue in (
        f"a {colour} {thing.noun}",
        f"a {thing.colour} {noun}",
        f"a {size} {name}",
        f"a {name} on a {wall} wall",
        f"a {name} is left of a {name}",
        f"a {name} is larger than a {name}",
    ):
        assert not scene.accepts(untrue)


@pytest.mark.parametrize(
    "sentence", ["", "a red", "red circle", "a red circle is", "there is a red circle is above"]
)
def test_what_is_not_of_the_grammar_is_not_true(sentence: str) -> None:
    assert not any(each.accepts(sentence) for each in (*SCENES, *FILMS))


def test_films_show_what_is_said() -> None:
    checked = Counter()
    for film in FILMS:
        if len({thing.colour for thing in film.objects[0]}) < len(film.deeds):
            continue
        for thing, deed in zip(film.objects[0], film.deeds, strict=True):
            first, last = (seen(film.frames[t], thing.colour) for t in (0, -1))
            (y0, x0), (y1, x1) = (np.argwhere(mask).mean(axis=0) for mask in (first, last))
            x, y = x1 - x0, y1 - y0
            grown = last.sum() / first.sum()
            shown = {
                "moves left": x < -8 and abs(y) < 2,
                "moves right": x > 8 and abs(y) < 2,
                "moves up": y < -8 and abs(x) < 2,
                "moves down": y > 8 and abs(x) < 2,
                "stands still": max(abs(x), abs(y)) < 1 and 0.9 < grown < 1.1,
                "grows": grown > 1.8,
                "shrinks": grown < 0.6,
            }
            assert [name for name, is_shown in shown.items() if is_shown] == [deed]
            checked[deed] += 1
            wrong = next(d for d in DEEDS if d not in film.deeds)
            assert film.accepts(f"a {thing.colour} {thing.noun} {deed}")
            assert not film.accepts(f"a {thing.colour} {thing.noun} {wrong}")
    assert len(checked) == len(DEEDS)


def test_impossible_worlds_are_refused() -> None:
    for option in ("height", "width", "frames", "seed"):
        with pytest.raises(ConfigError, match=f"{option} of at least"):
            SceneWorld(**{option: -1})
    with pytest.raises(ConfigError, match="at least 0"):
        WORLD.scene(-1)
