"""Where no path is found by chance: everybody moves to a cell of a 3 by 3 grid, and acts there.

This always ends. At most four shapes, each smaller than a cell, leave five cells free, so that
every order of the shapes in the cells can be reached from every other by single moves. And the
cells themselves are reached without a collision: any two shapes that are apart are so in x or in
y, and if they are still so, on the same sides, in their cells, then also on the straight ways
between.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64

from unrolled.world.silhouette import contact, reach
from unrolled.world.stage import HEADINGS, Array, Cue, Motion, Stage, smooth

Cell = tuple[int, int]  # its column and its row
_SIDE = 3
_CELLS = [(column, row) for row in range(_SIDE) for column in range(_SIDE)]
_IN_A_LINE = {0: [0, 1, 1, 2], 1: [0, 1, 2, 0]}  # cells of four in a line: along it, across it


def places(stage: Stage, number: int) -> Float64[np.ndarray, "N 2"]:
    """Return the middles of the first cells."""
    return _middles(stage, _CELLS[:number])


def perform_in_cells(stage: Stage, cue: Cue, making_way: int) -> Motion:
    """Return the motion of an event, of which the first frames are spent on making way."""
    there = [n for n in range(len(cue.shapes)) if cue.deed.verb != "enters" or n != cue.who]
    line, cells = _to_cells(stage, cue.centres[there])
    groups, act = _search(cue, there, cells)
    frames = stage.frames - making_way
    stops = [*line, *(_middles(stage, group) for group in groups)]
    acting = _along(_act(stage, cue, act), frames, last=True)
    way = np.repeat(np.broadcast_to(acting[0], (1, *cue.centres.shape)), making_way, axis=0)
    way[:, there] = _along(np.stack([cue.centres[there], *stops]), making_way, last=False)
    centres = np.zeros((frames + 1, *cue.centres.shape))
    centres[:, there] = stops[-1]
    centres[:, cue.who] = acting
    change = np.concatenate([np.zeros(making_way), smooth(np.arange(frames + 1) / frames)])
    sizes = cue.before + (cue.after - cue.before) * change[:, None]
    return Motion(np.concatenate([way, centres]), sizes)


def _middles(stage: Stage, cells: list[Cell]) -> Float64[np.ndarray, "N 2"]:
    grid = np.array(cells, dtype=np.float64).reshape(-1, 2)
    return np.asarray((grid + 0.5) * np.array([stage.width, stage.height]) / _SIDE)


def _along(stops: Array, frames: int, *, last: bool) -> Array:
    """Return places on the way from stop to stop, one a frame; ``last``: the end as well."""
    ways = len(stops) - 1
    gone = ways * smooth(np.arange(frames + last) / max(frames, 1))
    at = np.minimum(gone.astype(np.int64), ways - 1)
    share = (gone - at).reshape(-1, *[1] * (stops.ndim - 1))
    return np.asarray(stops[at] * (1 - share) + stops[at + 1] * share)


def _to_cells(stage: Stage, centres: Array) -> tuple[list[Array], list[Cell]]:
    """Return the cell for each shape, and before it, if four are in a line, places out of it."""
    columns, rows = _levels(centres, 0), _levels(centres, 1)
    for axis, levels in enumerate((columns, rows)):
        if max(levels, default=0) == _SIDE:
            cells = np.array([[_IN_A_LINE[axis != a][level] for a in (0, 1)] for level in levels])
            zigzag = _middles(stage, [(column, row) for column, row in cells.tolist()])
            zigzag[:, axis] = centres[:, axis]
            return [zigzag], [(column, row) for column, row in cells.tolist()]
    return [], list(zip(columns, rows, strict=True))


def _levels(centres: Array, axis: int) -> list[int]:
    """Return how many come before each shape along an axis, one after the other."""
    levels = [0] * len(centres)
    for n in np.argsort(centres[:, axis], kind="stable").tolist():
        before = [
            levels[m] + 1
            for m in range(len(centres))
            if 0 < centres[n, axis] - centres[m, axis] == np.abs(centres[n] - centres[m]).max()
        ]
        levels[n] = max(before, default=0)
    return levels


def _search(cue: Cue, there: list[int], cells: list[Cell]) -> tuple[list[list[Cell]], list[Cell]]:
    """Return the groupings up to one in which the event has room, and the way of who acts."""
    came_from: dict[tuple[Cell, ...], list[list[Cell]]] = {tuple(cells): [cells]}
    waiting = [cells]
    for group in waiting:  # grows while it is gone through, until all groupings are in it
        act = next(_acts(cue, dict(zip(there, group, strict=True))), None)
        if act is not None:
            return came_from[tuple(group)], act
        for moved in _moves(group):
            if tuple(moved) not in came_from:
                came_from[tuple(moved)] = [*came_from[tuple(group)], moved]
                waiting.append(moved)
    raise AssertionError("at most four shapes can be brought into any order")


def _moves(group: list[Cell]) -> Iterator[list[Cell]]:
    """Yield what one move of one shape, to a free cell beside it, makes of a grouping."""
    for n, cell in enumerate(group):
        for heading in HEADINGS.values():
            to = _beside(cell, heading)
            if to in _CELLS and to not in group:
                yield [*group[:n], to, *group[n + 1 :]]


def _beside(cell: Cell, heading: Cell) -> Cell:
    return cell[0] + heading[0], cell[1] + heading[1]


def _acts(cue: Cue, group: dict[int, Cell]) -> Iterator[list[Cell]]:
    """Yield the ways, from cell to cell, on which who acts can act in a grouping."""
    deed, free = cue.deed, [cell for cell in _CELLS if cell not in group.values()]
    if deed.verb == "enters":
        borders = ((_beside(cell, HEADINGS[deed.side or "left"]), cell) for cell in free)
        yield from ([outside, cell] for outside, cell in borders if outside not in _CELLS)
        return
    here = group[cue.who]
    for side, (x, y) in HEADINGS.items():
        near = _beside(here, (x, y))
        far = _beside(near, (x, y))
        turned = {"left": (y, -x), "right": (-y, x), "around": (-x, -y)}[deed.turn or "around"]
        around = _beside(near, turned)
        if deed.verb in ("grows", "shrinks"):
            yield [here, here]
        elif deed.verb == "leaves" and side == deed.side and near not in _CELLS:
            yield [here, near]
        elif deed.verb == "turns" and near in free and around in [*free, here]:
            yield [here, near, around]
        elif deed.verb == "meets" and near == group[cue.other or 0]:
            yield [here, near]
        elif deed.verb == "passes" and near == group[cue.other or 0] and far in free:
            yield [here, near, far]


def _act(stage: Stage, cue: Cue, cells: list[Cell]) -> Float64[np.ndarray, "M 2"]:
    """Return the stops of who acts; who meets somebody stays a while, and goes back."""
    stops = _middles(stage, cells)
    if cue.deed.verb != "meets":
        return stops
    who, other = cue.who, cue.other or 0
    reached = reach(cue.shapes[who], cue.before[who], cue.shapes[other], cue.before[other])
    toward = stops[1:] - stops[:1]
    toward /= np.abs(toward).max()  # along one axis
    touch = stops[1] - toward[0] * contact(toward, reached)[0]
    return np.stack([stops[0], touch, touch, stops[0]])
