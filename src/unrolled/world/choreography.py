"""How an event is moved: paths on which what is told happens, and nothing else does.

Many candidates are drawn at once, the calmest first, and the first is taken in which everybody
stays in the frame, and clear of everybody that the event does not bring together. On a crowded
stage that may be none of many; then all regroup in cells, where there is always a way.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float64

from unrolled.world.draws import Draws
from unrolled.world.regrouping import perform_in_cells, places
from unrolled.world.silhouette import contact, gap, reach
from unrolled.world.stage import HEADINGS, Array, Cue, Motion, Stage, smooth

_CANDIDATES = 96
_CALM = 0.06  # how far a bystander drifts in an event, as a share of the stage
_DIRECT = 6  # rounds of candidates, before some of the time goes to making way
_ROUNDS = 14  # rounds in all, before everybody regroups
_MAKING_WAY = 0.4
_TOUCHING = (0.5, 0.7)  # the part of a meeting's time in which the two touch


def settle(stage: Stage, sizes: Array, draws: Draws) -> Float64[np.ndarray, "N 2"]:
    """Return places for shapes that are there from the start."""
    least, greatest = stage.room(sizes)
    for _ in range(_ROUNDS):
        centres = draws.uniform(least, greatest, _CANDIDATES, len(sizes), 2)
        fits = _apart(stage, centres[:, None], sizes, None).all(axis=1)
        if fits.any():
            return np.asarray(centres[fits.argmax()])
    return places(stage, len(sizes))


def perform(stage: Stage, cue: Cue, draws: Draws) -> Motion:
    """Return the motion of an event."""
    for attempt in range(_ROUNDS):
        making_way = 0 if attempt < _DIRECT else int(_MAKING_WAY * stage.frames)
        paths, sizes, fits = _candidates(stage, cue, draws, making_way)
        if fits.any():
            return Motion(paths[fits.argmax()], sizes)
    return perform_in_cells(stage, cue, int(_MAKING_WAY * stage.frames))


def _candidates(
    stage: Stage, cue: Cue, draws: Draws, making_way: int
) -> tuple[Float64[np.ndarray, "K T N 2"], Float64[np.ndarray, "T N"], Bool[np.ndarray, " K"]]:
    """Return paths, sizes, and which paths will do; frames to make way in come before the act."""
    starts = np.repeat(cue.centres[None], _CANDIDATES, axis=0)
    if making_way:
        starts = _ends(stage, cue.before, starts, draws)
    way = _straight(cue.centres, starts, smooth(np.arange(making_way) / max(making_way, 1)))
    time = np.arange(stage.frames - making_way + 1) / (stage.frames - making_way)
    act = _straight(starts, _ends(stage, cue.after, starts, draws), smooth(time))
    act_of = _ACTS.get(cue.deed.verb)  # to grow or to shrink takes no path
    fits = act_of(stage, cue, draws, act, time) if act_of else _everywhere()
    if cue.deed.verb == "enters":
        way[:, :, cue.who] = act[:, :1, cue.who]  # waits outside
    paths = np.concatenate([way, act], axis=1)
    change = np.concatenate([np.zeros(making_way), smooth(time)])[:, None]
    sizes = cue.before + (cue.after - cue.before) * change
    together = None if cue.other is None else (cue.who, cue.other)
    fits &= _inside(stage, cue, paths, sizes)
    fits &= _apart(stage, paths, sizes, together).all(axis=1)
    fits &= _apart(stage, way, cue.before, None).all(axis=1)
    fits &= _apart(stage, paths[:, -1:], cue.after, None).all(axis=1)
    return paths, sizes, fits


def _straight(starts: Array, ends: Array, share: Array) -> Float64[np.ndarray, "K T N 2"]:
    """Return the straight ways between places ``[K, N, 2]``, at shares of them."""
    starts = np.broadcast_to(starts, ends.shape)
    return np.asarray(starts[:, None] + (ends - starts)[:, None] * share[:, None, None])


def _ends(stage: Stage, sizes: Array, starts: Array, draws: Draws) -> Array:
    """Return where everybody drifts to: nearby at first, anywhere in the last candidates."""
    K, N, _ = starts.shape
    share = np.maximum(np.arange(1.0, K + 1) / K - 0.4, 0.0) / 0.6
    far = np.where(draws.below(2, K, N), share[:, None], 0.0)[:, :, None]
    least, greatest = stage.room(sizes)
    calm = _CALM * stage.scale
    onward = far * (draws.uniform(least, greatest, K, N, 2) - starts)
    moved = starts + onward + draws.uniform(-calm, calm, K, N, 2)
    return np.asarray(np.clip(moved, least, greatest))


def _apart(
    stage: Stage, centres: Array, sizes: Array, together: tuple[int, int] | None
) -> Bool[np.ndarray, "K F"]:
    """Tell where the squares of all shapes, but for the two brought together, are well apart."""
    clear = np.ones(centres.shape[:2], dtype=np.bool_)
    for i in range(centres.shape[2]):
        for j in range(i):
            if together is None or {i, j} != set(together):
                between = np.abs(centres[:, :, i] - centres[:, :, j]).max(axis=-1)
                clear &= between >= (sizes[..., i] + sizes[..., j]) / 2 + stage.clearance
    return clear


def _inside(stage: Stage, cue: Cue, paths: Array, sizes: Array) -> Bool[np.ndarray, " K"]:
    """Tell where all stay in the frame, but for who comes or goes."""
    stays = [n for n in range(len(cue.before)) if n != cue.who or cue.deed.side is None]
    least, greatest = stage.room(sizes[:, stays])
    centres = paths[:, :, stays]
    slack = 1e-9 * stage.scale
    return np.asarray(
        ((centres >= least - slack) & (centres <= greatest + slack)).all(axis=(1, 2, 3))
    )


def _everywhere() -> Bool[np.ndarray, " K"]:
    return np.ones(_CANDIDATES, dtype=np.bool_)


def _units(draws: Draws) -> Float64[np.ndarray, "K 2"]:
    """Return directions: points of a disc, put on its rim."""
    points = draws.uniform(-1.0, 1.0, _CANDIDATES, 8, 2)
    squares = (points * points).sum(axis=-1)
    chosen = ((squares <= 1) & (squares > 0.01)).argmax(axis=1)
    picked = points[np.arange(_CANDIDATES), chosen]
    return _unit(picked)


def _unit(vectors: Float64[np.ndarray, "K 2"]) -> Float64[np.ndarray, "K 2"]:
    x, y = vectors[:, :1], vectors[:, 1:]
    return np.asarray(vectors / np.maximum(np.sqrt(x * x + y * y), 1e-9))


def _crossing(stage: Stage, cue: Cue, draws: Draws, starts: Array) -> tuple[Array, Array]:
    """Return places outside the side that is told of, and places inside: ``[K, 2]`` each."""
    heading = np.array(HEADINGS[cue.deed.side or "left"], dtype=np.float64)
    size = cue.after[cue.who]
    least, greatest = stage.room(size)
    inside = draws.uniform(least, greatest, _CANDIDATES, 2)
    if cue.deed.verb == "leaves":
        inside = starts
    middle = np.array([stage.width, stage.height]) / 2
    edge = middle + heading * (middle + size / 2 + stage.margin)
    depth = np.abs(edge - inside).max(axis=1, where=heading != 0, initial=0.0)[:, None]
    beside = np.clip(inside + draws.uniform(-0.4, 0.4, _CANDIDATES, 2) * depth, least, greatest)
    return np.where(heading != 0, edge, beside), inside


def _enters(stage: Stage, cue: Cue, draws: Draws, paths: Array, time: Array) -> Array:
    outside, inside = _crossing(stage, cue, draws, paths[:, 0, cue.who])
    slowing = (time * (2 - time))[:, None]
    paths[:, :, cue.who] = outside[:, None] + (inside - outside)[:, None] * slowing
    return _everywhere()


def _leaves(stage: Stage, cue: Cue, draws: Draws, paths: Array, time: Array) -> Array:
    outside, inside = _crossing(stage, cue, draws, paths[:, 0, cue.who])
    quickening = (time * time)[:, None]
    paths[:, :, cue.who] = inside[:, None] + (outside - inside)[:, None] * quickening
    return _everywhere()


def _turns(stage: Stage, cue: Cue, draws: Draws, paths: Array, time: Array) -> Array:
    heading = _units(draws)
    x, y = heading[:, :1], heading[:, 1:]  # y is down: a left turn takes "up" to "left"
    turned = {"left": (y, -x), "right": (-y, x), "around": (-x, -y)}[cue.deed.turn or "around"]
    legs = stage.scale * draws.uniform(0.15, 0.3, _CANDIDATES, 2, 1)
    gone = (legs.sum(axis=1) * smooth(time))[:, :, None]
    first = np.minimum(gone, legs[:, :1])
    paths[:, :, cue.who] = (
        paths[:, :1, cue.who]
        + first * heading[:, None]
        + (gone - first) * np.concatenate(turned, axis=1)[:, None]
    )
    return _everywhere()


def _meets(stage: Stage, cue: Cue, draws: Draws, paths: Array, time: Array) -> Array:
    """Who comes until it touches; after a moment one of the two moves off."""
    who, other = cue.who, cue.other or 0
    start, goal = paths[:, :1, who], paths[:, :1, other]
    reached = reach(cue.shapes[who], cue.before[who], cue.shapes[other], cue.before[other])
    toward = _unit((goal - start)[:, 0])
    touch = goal - (toward * contact(toward, reached)[:, None])[:, None]
    coming = smooth(np.minimum(time / _TOUCHING[0], 1.0))[:, None]
    going = smooth(np.maximum(time - _TOUCHING[1], 0.0) / (1 - _TOUCHING[1]))[:, None]
    away = _units(draws)
    onward = ((away * toward).sum(axis=1) >= 0)[:, None, None]
    parting = (away * draws.uniform(0.06, 0.35, _CANDIDATES, 1) * stage.scale)[:, None] * going
    paths[:, :, who] = start + (touch - start) * coming + np.where(onward, 0.0, parting)
    paths[:, :, other] = goal + np.where(onward, parting, 0.0)
    return np.asarray((gap(paths[:, :, who] - paths[:, :, other], reached) > -1e-6).all(axis=1))


def _passes(stage: Stage, cue: Cue, draws: Draws, paths: Array, time: Array) -> Array:
    """Who goes straight to where, on the way, it is behind the middle of the other."""
    who, other = cue.who, cue.other or 0
    start, goal = paths[:, 0, who], paths[:, 0, other]
    when = draws.uniform(0.25, 0.8, _CANDIDATES, 1)
    nearest = 0.04 * stage.scale
    miss = draws.uniform(-nearest, nearest, _CANDIDATES, 2)
    crossing = goal + (paths[:, -1, other] - goal) * when + miss
    end = start + (crossing - start) / when
    paths[:, :, who] = start[:, None] + (end - start)[:, None] * smooth(time)[:, None]
    return _everywhere()


_Act: TypeAlias = Callable[[Stage, Cue, Draws, Array, Array], Array]
_ACTS: dict[str, _Act] = {
    "enters": _enters,
    "leaves": _leaves,
    "turns": _turns,
    "meets": _meets,
    "passes": _passes,
}
