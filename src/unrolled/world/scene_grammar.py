"""What is said of a scene: every sentence of a small grammar is true of it, or is not."""

import re
from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

from unrolled.world.clip import Box

NOUNS = ("circle", "square", "triangle", "cross")
SCENE_COLOURS = ("red", "green", "blue", "yellow", "purple", "white")
SIZES = ("small", "large")
WALLS = ("plain", "striped", "dotted", "checked")
CONVERSES = {
    "left of": "right of",
    "above": "below",
    "in front of": "behind",
    "larger than": "smaller than",
}
DEEDS = {  # as they end a sentence, and as they follow "is" or a noun
    "stands still": "standing still",
    "moves left": "moving left",
    "moves right": "moving right",
    "moves up": "moving up",
    "moves down": "moving down",
    "grows": "growing",
    "shrinks": "shrinking",
}

_RELATIONS = (*CONVERSES, *CONVERSES.values())
_PLACES = tuple(relation for relation in _RELATIONS if not relation.endswith("than"))


def _any(words: Sequence[str]) -> str:
    return f"({'|'.join(words)})"


_THING = rf"a (?:{_any(SIZES)} )?{_any(SCENE_COLOURS)} {_any(NOUNS)}"
_WALL = rf"(?: on a {_any(WALLS)} wall)?"
_SCENES = (
    re.compile(rf"{_THING}(?: is {_any(_RELATIONS)} {_THING})?{_WALL}"),
    re.compile(rf"there is {_THING}(?: {_any(_PLACES)} {_THING})?{_WALL}"),
)
_DONE, _DOING = _any(tuple(DEEDS)), _any(tuple(DEEDS.values()))
_FILMS = (
    re.compile(rf"{_THING} {_DONE}(?: while {_THING} {_DONE})?{_WALL}"),
    re.compile(rf"{_THING} is {_DOING}(?: and {_THING} is {_DOING})?{_WALL}"),
    re.compile(rf"there is {_THING} {_DOING}(?: and {_THING} {_DOING})?{_WALL}"),
)


class SceneObject(NamedTuple):
    """One thing in a picture, as captions name it.

    Args:
        noun: such as "circle".
        colour: such as "red"; "" where nothing is said of it.
        size: "small" or "large"; "" where nothing is said of it.
        box: where it is, in pixels of the picture.
    """

    noun: str
    colour: str
    size: str
    box: Box


def scene_captions(objects: Sequence[SceneObject], wall: str) -> tuple[str, ...]:
    """Return the references of a scene of one or two objects, at least five, all true.

    Args:
        objects: the nearest first.
        wall: one of ``WALLS``, what is behind.
    Example:
        >>> box = Box(0, 0, 9, 9)
        >>> scene_captions([SceneObject("circle", "red", "small", box)], "plain")[3]
        'a red circle on a plain wall'
    """
    if len(objects) == 1:
        plain, sized = _named(objects[0]), _sized(objects[0])
        return (
            plain,
            f"there is {plain}",
            sized,
            f"{plain} on a {wall} wall",
            f"there is {sized} on a {wall} wall",
        )
    first, relation, second = next(_spatial(objects))
    a, b = _named(first), _named(second)
    said = [
        f"{a} is {relation} {b}",
        f"{b} is {CONVERSES[relation]} {a}",
        f"there is {a} {relation} {b}",
        f"{_sized(first)} is {relation} {_sized(second)}",
        f"{a} is {relation} {b} on a {wall} wall",
    ]
    for x, y in permutations(objects):
        if (x.size, y.size) == ("large", "small"):
            said.append(f"{_named(x)} is larger than {_named(y)}")
    return tuple(said)


def film_captions(
    objects: Sequence[SceneObject], deeds: Sequence[str], wall: str
) -> tuple[str, ...]:
    """Return the references of a film in which each of one or two objects does one of ``DEEDS``.

    Example:
        >>> circle = SceneObject("circle", "red", "", Box(0, 0, 9, 9))
        >>> film_captions([circle], ["moves left"], "plain")[2]
        'there is a red circle moving left'
    """
    things = [_named(thing) for thing in objects]
    done = [f"{thing} {deed}" for thing, deed in zip(things, deeds, strict=True)]
    doing = [f"{thing} is {DEEDS[deed]}" for thing, deed in zip(things, deeds, strict=True)]
    seen = [f"{thing} {DEEDS[deed]}" for thing, deed in zip(things, deeds, strict=True)]
    said = [
        " while ".join(done),
        " and ".join(doing),
        f"there is {' and '.join(seen)}",
        f"{' while '.join(done)} on a {wall} wall",
        f"there is {' and '.join(seen)} on a {wall} wall",
    ]
    return tuple(said + [" while ".join(done[::-1])] * (len(done) > 1))


def true_of_scene(sentence: str, objects: Sequence[SceneObject], wall: str) -> bool:
    """Return whether a sentence is of the grammar and true of a scene.

    Example:
        >>> red = SceneObject("circle", "red", "small", Box(0, 0, 9, 9))
        >>> blue = SceneObject("square", "blue", "large", Box(12, 0, 40, 28))
        >>> true_of_scene("a blue square is right of a red circle", [red, blue], "plain")
        True
        >>> true_of_scene("a blue square is left of a red circle", [red, blue], "plain")
        False
    """
    found = _parsed(_SCENES, sentence)
    if found is None:
        return False
    *one, relation, size, colour, noun, behind = found
    if behind not in (None, wall):
        return False
    if relation is None:
        return any(_is(thing, *one) for thing in objects)
    return any(
        _is(a, *one) and _is(b, size, colour, noun) and _holds(relation, objects, a, b)
        for a, b in permutations(objects, 2)
    )


def true_of_film(
    sentence: str, objects: Sequence[SceneObject], deeds: Sequence[str], wall: str
) -> bool:
    """Return whether a sentence is of the grammar and true of a film."""
    found = _parsed(_FILMS, sentence)
    if found is None or found[-1] not in (None, wall):
        return False
    one, two = found[:4], found[4:8]
    acts = list(zip(objects, deeds, strict=True))
    if two[3] is None:
        return any(_does(act, one) for act in acts)
    return any(_does(a, one) and _does(b, two) for a, b in permutations(acts, 2))


def _words() -> tuple[str, ...]:
    said = (*SIZES, *SCENE_COLOURS, *NOUNS, *WALLS, *_RELATIONS, *DEEDS, *DEEDS.values())
    frame = "a there is on wall and while"
    return tuple(sorted({word for phrase in (*said, frame) for word in phrase.split()}))


SCENE_WORDS = _words()  # all that the grammar can say


def _parsed(forms: Sequence[re.Pattern[str]], sentence: str) -> list[str | None] | None:
    plain = " ".join(sentence.split())
    matches = (form.fullmatch(plain) for form in forms)
    return next((list(match.groups()) for match in matches if match), None)


def _named(thing: SceneObject) -> str:
    return f"a {thing.colour} {thing.noun}"


def _sized(thing: SceneObject) -> str:
    return f"a {thing.size} {thing.colour} {thing.noun}"


def _is(thing: SceneObject, size: str | None, colour: str | None, noun: str | None) -> bool:
    return (thing.noun, thing.colour) == (noun, colour) and size in (None, thing.size)


def _does(act: tuple[SceneObject, str], said: Sequence[str | None]) -> bool:
    thing, deed = act
    size, colour, noun, told = said
    return _is(thing, size, colour, noun) and told in (deed, DEEDS[deed])


def _spatial(
    objects: Sequence[SceneObject],
) -> Iterator[tuple[SceneObject, str, SceneObject]]:
    for relation in ("left of", "above", "in front of"):
        for a, b in permutations(objects, 2):
            if _holds(relation, objects, a, b):
                yield a, relation, b


def _holds(relation: str, objects: Sequence[SceneObject], a: SceneObject, b: SceneObject) -> bool:
    if relation in CONVERSES.values():
        back = {converse: forth for forth, converse in CONVERSES.items()}
        return _holds(back[relation], objects, b, a)
    match relation:
        case "left of":
            return a.box.right <= b.box.left
        case "above":
            return a.box.bottom <= b.box.top
        case "larger than":
            return (a.size, b.size) == ("large", "small")
    apart = a.box.right <= b.box.left or b.box.right <= a.box.left
    apart = apart or a.box.bottom <= b.box.top or b.box.bottom <= a.box.top
    return not apart and objects.index(a) < objects.index(b)
