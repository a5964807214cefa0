"""Clips: the same on every call, lazy, true to their pixels, and as told."""

from dataclasses import replace
from itertools import islice
from math import log

import pytest

from tests.world.observer import inside
from tests.world.truth import box_faults, pixel_faults, placing_faults
from unrolled.errors import ConfigError
from unrolled.world import Box, Clip, ClipObject, Narrator, World, choreography

FAR = 10**6
WORLDS = [World(seed, events_before=before) for seed in range(4) for before in (0, 4)]
WORLDS += [World(1, height=48, width=96, events_before=6), World(1, height=128, width=128)]
WORLDS += [World(2, height=32, width=32, frames_per_event=12, events_before=6)]


def same(a: Clip, b: Clip) -> bool:
    """Tell whether two clips are the same to the last bit; == of floats is, in their truth."""
    truth = [(c.objects, c.events, c.opening, c.narration, c.pts_seconds.tolist()) for c in (a, b)]
    return truth[0] == truth[1] and a.frames.tobytes() == b.frames.tobytes()


def test_a_clip_depends_on_the_seed_and_its_number_alone() -> None:
    world = World(3, events_before=2)
    far = world.clip(FAR)
    for number in (0, 5, FAR + 1):
        assert not same(world.clip(number), far)
    assert same(world.clip(FAR), far)
    assert same(World(3, events_before=2).clip(FAR), far)
    assert not same(World(4, events_before=2).clip(FAR), far)


def test_clips_are_made_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made, clip = [], World.clip
    monkeypatch.setattr(World, "clip", lambda self, i: made.append(i) or clip(self, i))
    clips = World(3).clips(7)
    assert made == []
    first, second = islice(clips, 2)
    assert made == [7, 8]
    assert same(first, clip(World(3), 7))
    assert same(second, clip(World(3), 8))


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_truth_agrees_with_the_pixels_and_with_itself(world: World) -> None:
    clip = world.clip(0)
    assert [fault for n in range(0, len(clip.frames), 4) for fault in pixel_faults(clip, n)] == []
    assert box_faults(clip) == []
    assert placing_faults(clip) == []


def perturbed(clip: Clip, number: int, seen: ClipObject, **changes: object) -> Clip:
    frames = list(clip.objects)
    frames[number] = tuple(o._replace(**changes) if o is seen else o for o in frames[number])
    return replace(clip, objects=tuple(frames))


def moved(box: Box, x: float, y: float) -> Box:
    return Box(box.left + x, box.top + y, box.right + x, box.bottom + y)


@pytest.mark.parametrize("seed", range(3))
def test_untrue_pixels_are_found(seed: int) -> None:
    clip = World(seed, events_before=4).clip(0)
    number, whole = 0, []
    for number in range(0, len(clip.objects), 5):
        objects = clip.objects[number]
        whole = [o for o in objects if o.visible_share > 0.99 and inside(o, (64, 64))]
        if whole:
            break
    seen = whole[0]
    assert pixel_faults(clip, number) == []
    twins = {
        "box": perturbed(clip, number, seen, box_pixels=moved(seen.box_pixels, 4.0, 0.0)),
        "colour": perturbed(clip, number, seen, colour="red" if seen.colour != "red" else "blue"),
        "share": perturbed(clip, number, seen, visible_share=seen.visible_share - 0.6),
    }
    for x, y in ((2.0, 0.0), (-2.0, 0.0), (0.0, 2.0), (0.0, -2.0)):
        centre = seen.centre_pixels._replace(x=seen.centre_pixels.x + x, y=seen.centre_pixels.y + y)
        twins[f"centre {x} {y}"] = perturbed(clip, number, seen, centre_pixels=centre)
    twins["size"] = perturbed(clip, number, seen, size_pixels=seen.size_pixels + 4)
    for change, twin in twins.items():
        assert pixel_faults(twin, number), change
    slight = perturbed(clip, number, seen, box_pixels=moved(seen.box_pixels, 0.0, 0.01))
    assert box_faults(slight) == [f"{number}: box of {seen.name}"]


def test_swapped_depths_are_found() -> None:
    story = "the red circle passes behind the blue square.\n"
    clip = World(5).show(story, opening=("red circle", "blue square"))
    number = min(range(20), key=lambda n: clip.objects[n][0].visible_share)
    circle, square = clip.objects[number]
    assert circle.visible_share < 0.5
    assert circle.depth > square.depth
    assert pixel_faults(clip, number) == []
    twin = perturbed(clip, number, circle, depth=square.depth)
    twin = perturbed(twin, number, square, depth=circle.depth)
    assert pixel_faults(twin, number)


def test_wrong_places_are_found() -> None:
    clip = World(1).show("the red circle grows.\n", opening=("red circle", "blue square"))
    circle, square = clip.objects[4]
    assert placing_faults(clip) == []
    x, y = square.centre_pixels
    near = perturbed(clip, 4, circle, centre_pixels=square.centre_pixels._replace(x=x + 1))
    assert placing_faults(near) == ["4: red circle touches blue square"]
    out = perturbed(clip, 4, square, centre_pixels=square.centre_pixels._replace(y=y + 64))
    assert placing_faults(out) == ["4: blue square is not inside"]


@pytest.mark.parametrize("events_before", [0, 8])
def test_the_narration_is_accepted_with_the_nats_that_it_claims(events_before: int) -> None:
    for seed in range(10):
        clip, narrator = World(seed, events_before=events_before).clip(seed), Narrator()
        narrator.stage = list(clip.opening)
        nats = [-log(narrator.accept(sentence)) for sentence in clip.text.splitlines()]
        assert len(nats) == 4
        assert abs(sum(nats) - clip.narration.nats) < 1e-9
        assert [event.sentence for event in clip.events] == clip.text.splitlines()


def test_names_and_numbers_are_kept() -> None:
    for seed in range(5):
        clip = World(seed, events_before=4).clip(0)
        names = {o.id: o.name for frame in clip.objects for o in frame}
        assert all(o.name == names[o.id] for frame in clip.objects for o in frame)
        for event in clip.events:
            assert names[event.who_id] == event.deed.who
            other = None if event.other_id is None else names[event.other_id]
            assert other == event.deed.other
        assert [event.start_frame for event in clip.events] == [0, 20, 40, 60]
        assert [event.end_frame for event in clip.events] == [20, 40, 60, 80]


def test_the_search_for_a_motion_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """These are crowded: without a bound they take hundreds of rounds."""
    rounds, candidates = [], choreography._candidates
    monkeypatch.setattr(
        choreography, "_candidates", lambda *args: rounds.append(1) or candidates(*args)
    )
    for number in (154, 66, 103):
        rounds.clear()
        World(0, events_before=8).clip(number)
        assert 4 <= len(rounds) <= 4 * choreography._ROUNDS


def test_what_cannot_be_shown_is_refused() -> None:
    with pytest.raises(ConfigError, match="height"):
        World(height=8)
    with pytest.raises(ConfigError, match="number"):
        World().clip(-1)
    with pytest.raises(ConfigError, match="can happen"):
        World().show("the red circle grows.\n")
