"""What is told can be read back from where the objects are, and is not read into broken clips."""

from tests.world.observer import Frame, observe, scenes
from unrolled.world import Clip, Point, World

SIZE = (64, 64)


def clips(events_before: int) -> list[Clip]:
    return [World(seed, events_before=events_before).clip(seed) for seed in range(20)]


CLIPS = clips(0) + clips(4)
SCENES = [scene for clip in CLIPS for scene in scenes(clip)]


def mirrored(frames: list[Frame]) -> list[Frame]:
    def mirror(point: Point) -> Point:
        return point._replace(x=SIZE[0] - point.x)

    return [
        tuple(o._replace(centre_pixels=mirror(o.centre_pixels)) for o in frame) for frame in frames
    ]


def frozen(frames: list[Frame]) -> list[Frame]:
    sizes = {o.id: o.size_pixels for frame in frames[::-1] for o in frame}
    return [tuple(o._replace(size_pixels=sizes[o.id]) for o in frame) for frame in frames]


def test_every_kind_of_event_is_among_them() -> None:
    verbs = [deed.verb for deed, _ in SCENES]
    for verb in ("enters", "leaves", "turns", "grows", "shrinks", "meets", "passes"):
        assert verbs.count(verb) >= 3, verb
    assert {deed.turn for deed, _ in SCENES} >= {"left", "right", "around"}
    assert {deed.side for deed, _ in SCENES} >= {"left", "right", "top", "bottom"}


def test_every_event_is_seen_as_it_is_told() -> None:
    seen = [(observe(frames, SIZE), deed) for deed, frames in SCENES]
    assert [pair for pair in seen if pair[0] != pair[1]] == []


def test_a_mirror_is_noticed() -> None:
    swap = {"left": "right", "right": "left"}
    for deed, frames in SCENES:
        expected = deed._replace(
            side=swap.get(deed.side or "", deed.side), turn=swap.get(deed.turn or "", deed.turn)
        )
        assert observe(mirrored(frames), SIZE) == expected
    assert sum(observe(mirrored(frames), SIZE) != deed for deed, frames in SCENES) >= 20


def test_time_run_backward_is_noticed() -> None:
    opposite = {"enters": "leaves", "leaves": "enters", "grows": "shrinks", "shrinks": "grows"}
    turned = [(deed, frames[::-1]) for deed, frames in SCENES if deed.verb in opposite]
    assert len(turned) >= 20
    for deed, frames in turned:
        assert observe(frames, SIZE) == deed._replace(verb=opposite[deed.verb])


def test_frozen_sizes_are_noticed() -> None:
    changed = [(deed, frames) for deed, frames in SCENES if deed.verb in ("grows", "shrinks")]
    assert len(changed) >= 6
    for deed, frames in changed:
        assert observe(frozen(frames), SIZE) != deed
