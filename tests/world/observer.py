"""Reads events back from the ground truth alone: where the objects are, how large, how visible."""

from collections.abc import Iterator
from itertools import combinations, pairwise

from unrolled.world import Clip, ClipObject, Deed

Frame = tuple[ClipObject, ...]
Size = tuple[int, int]  # width and height of the frame
TURN_MISSES = 0.3  # a turn's cosine may be this far from 0 or from -1


def scenes(clip: Clip) -> Iterator[tuple[Deed, list[Frame]]]:
    """Yield each event with its frames, the last one before it put in front."""
    for event in clip.events:
        yield event.deed, list(clip.objects[max(event.start_frame - 1, 0) : event.end_frame])


def observe(frames: list[Frame], size: Size) -> Deed | None:
    """Return what happens in the frames of one event, or None if that cannot be told."""
    first, last = ({o.id: o for o in frame if inside(o, size)} for frame in (frames[0], frames[-1]))
    for number in last.keys() - first.keys():
        edge = next(o for frame in frames for o in frame if o.id == number)
        return Deed("enters", last[number].name, side=crossed(edge, size))
    for number in first.keys() - last.keys():
        edge = next(o for frame in frames[::-1] for o in frame if o.id == number)
        return Deed("leaves", first[number].name, side=crossed(edge, size))
    for number, seen in last.items():
        change = seen.size_pixels / first[number].size_pixels
        if abs(change - 1) > 0.02:
            return Deed("grows" if change > 1 else "shrinks", seen.name)
    tracks = [track(frames, number) for number in first]
    for a, b in combinations(tracks, 2):
        if min(map(square_gap, a, b)) < 0.01:
            return passing(a, b) or passing(b, a) or meeting(a, b)
    return turning(tracks)


def track(frames: list[Frame], number: int) -> list[ClipObject]:
    return [next(o for o in frame if o.id == number) for frame in frames]


def overshoot(seen: ClipObject, size: Size) -> dict[str, float]:
    """Return by how much the square of an object lies beyond each side of the frame."""
    (x, y), half = seen.centre_pixels, seen.size_pixels / 2
    beyond = {"left": half - x, "right": x + half - size[0]}
    return beyond | {"top": half - y, "bottom": y + half - size[1]}


def inside(seen: ClipObject, size: Size) -> bool:
    return max(overshoot(seen, size).values()) <= 0


def crossed(seen: ClipObject, size: Size) -> str | None:
    beyond = [side for side, pixels in overshoot(seen, size).items() if pixels > 0]
    return beyond[0] if len(beyond) == 1 else None


def offset(a: ClipObject, b: ClipObject) -> tuple[float, float]:
    (ax, ay), (bx, by) = a.centre_pixels, b.centre_pixels
    return bx - ax, by - ay


def square_gap(a: ClipObject, b: ClipObject) -> float:
    return max(map(abs, offset(a, b))) - (a.size_pixels + b.size_pixels) / 2


def dot(a: tuple[float, float], b: tuple[float, float]) -> float:
    return a[0] * b[0] + a[1] * b[1]


def passing(a: list[ClipObject], b: list[ClipObject]) -> Deed | None:
    """Return that a passes behind b: hidden by it, it comes out on the other side."""
    hidden = min(range(len(a)), key=lambda n: a[n].visible_share)
    if a[hidden].visible_share > 0.8 or a[hidden].depth < b[hidden].depth:
        return None
    near = [n for n in range(len(a)) if square_gap(a[n], b[n]) < 0.01]
    before, after = max(near[0] - 1, 0), min(near[-1] + 1, len(a) - 1)
    across = dot(offset(b[before], a[before]), offset(b[after], a[after])) < 0
    return Deed("passes", a[0].name, other=b[0].name) if across else None


def meeting(a: list[ClipObject], b: list[ClipObject]) -> Deed | None:
    """Return that one comes to touch the other: the one that moved just before."""
    if min(o.visible_share for o in a + b) < 0.97:
        return None
    touch = next(n for n in range(len(a)) if square_gap(a[n], b[n]) < 0.01)
    gone = [sum(dot(v, v) for v in steps(t)[max(touch - 3, 0) : touch]) for t in (a, b)]
    who, other = (a, b) if gone[0] > gone[1] else (b, a)
    return Deed("meets", who[0].name, other=other[0].name)


def steps(seen: list[ClipObject]) -> list[tuple[float, float]]:
    return [offset(before, after) for before, after in pairwise(seen)]


def turning(tracks: list[list[ClipObject]]) -> Deed | None:
    """Return who changes its direction at the greatest speed, and to where."""
    best, found = 0.0, None
    for seen in tracks:
        moves = steps(seen)
        for before, after in zip(moves, moves[2:], strict=False):  # the turn is between
            speed = min(dot(before, before), dot(after, after)) ** 0.5
            turn = turned(before, after)
            if turn and speed > best:
                best, found = speed, Deed("turns", seen[0].name, turn=turn)
    return found


def turned(before: tuple[float, float], after: tuple[float, float]) -> str | None:
    """Return by which turn one direction becomes another; y is down."""
    lengths = (dot(before, before) * dot(after, after)) ** 0.5 or 1.0
    cosine = dot(before, after) / lengths
    if cosine < TURN_MISSES - 1:
        return "around"
    if abs(cosine) > TURN_MISSES:
        return None
    return "right" if before[0] * after[1] > before[1] * after[0] else "left"
