"""Checks of a clip against its own truth: each returns the faults that it finds."""

from itertools import combinations
from math import pi

import numpy as np

from tests.world.observer import Frame, Size, inside, square_gap
from unrolled.world import Box, Clip, ClipObject
from unrolled.world.rendering import PALETTE

AREAS = {"circle": pi / 4, "square": 1.0, "triangle": 0.5}  # of a shape of size 1
EDGE = 0.75  # a pixel's middle is at most this far from an edge that runs through it


def outside_by(seen: ClipObject, size: Size) -> np.ndarray:
    """Return how far each pixel's middle is outside an object, negative inside, [H, W]."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]] + 0.5
    dx, dy, half = x - seen.centre_pixels.x, y - seen.centre_pixels.y, seen.size_pixels / 2
    if seen.shape == "circle":
        return np.hypot(dx, dy) - half
    if seen.shape == "square":
        return np.maximum(abs(dx), abs(dy)) - half
    slant = (abs(dx) - (dy + half) / 2) * np.cos(np.arctan(0.5))  # half as wide as it is high
    return np.maximum(slant, dy - half)


def in_box(box: Box, size: Size) -> np.ndarray:
    y, x = np.mgrid[0 : size[1], 0 : size[0]] + 0.5
    return (x >= box.left) & (x <= box.right) & (y >= box.top) & (y <= box.bottom)


def pixel_faults(clip: Clip, number: int) -> list[str]:
    """Compare one frame with what is said to be in it."""
    picture, objects = clip.frames[number].transpose(1, 2, 0), clip.objects[number]
    size = (picture.shape[1], picture.shape[0])
    faults = []
    away = {o.id: outside_by(o, size) for o in objects}
    for seen in objects:
        full = (picture == PALETTE[seen.colour]).all(axis=2)
        boxes = [in_box(o.box_pixels, size) for o in objects if o.colour == seen.colour]
        if (full & ~np.any(boxes, axis=0)).any():
            faults.append(f"{seen.name}: its colour is outside its box")
        nearer = [away[o.id] for o in objects if o.depth < seen.depth]
        clear = np.all([far > EDGE for far in nearer], axis=0) if nearer else np.True_
        rim = max(0.09 * seen.size_pixels, 1.0)
        if (~full & clear & (away[seen.id] + rim < -EDGE)).any():
            faults.append(f"{seen.name}: another colour where it is whole")
        dark = (picture == np.array(PALETTE[seen.colour]) // 2).all(axis=2)
        free = np.all([far > -EDGE for far in nearer], axis=0) if nearer else np.True_
        mine = (away[seen.id] < EDGE) & free
        counted = (mine & (full | dark)).sum()
        open_to_doubt = (mine & ~full & ~dark).sum()
        visible = seen.visible_share * AREAS[seen.shape] * seen.size_pixels**2
        if not counted - 1 <= visible <= counted + open_to_doubt + 1:
            faults.append(f"{seen.name}: {visible:.1f} pixels visible, {counted} counted")
    return faults


def placing_faults(clip: Clip) -> list[str]:
    """Find who is not in the frame, or touches somebody, though no event brings it to."""
    size = (clip.frames.shape[3], clip.frames.shape[2])
    faults = []
    for event in clip.events:
        moving = event.who_id if event.deed.side else None
        for number in range(event.start_frame, event.end_frame):
            frame = clip.objects[number]
            faults += [
                f"{number}: {o.name} is not inside"
                for o in frame
                if o.id != moving and not inside(o, size)
            ]
            last = number == event.end_frame - 1
            faults += touching(number, frame, set() if last else {event.who_id, event.other_id})
    return faults


def touching(number: int, frame: Frame, together: set[int | None]) -> list[str]:
    return [
        f"{number}: {a.name} touches {b.name}"
        for a, b in combinations(frame, 2)
        if square_gap(a, b) <= 0 and {a.id, b.id} != together
    ]


def box_faults(clip: Clip) -> list[str]:
    """Compare boxes and velocities with the centres and sizes that they come from."""
    height, width = clip.frames.shape[2:]
    faults, before = [], {}
    for number, frame in enumerate(clip.objects):
        for o in frame:
            (x, y), half = o.centre_pixels, o.size_pixels / 2
            low = max(x - half, 0.0), max(y - half, 0.0)
            box = (*low, min(x + half, width), min(y + half, height))
            empty = box[0] >= box[2] or box[1] >= box[3]
            if empty or not np.allclose(o.box_pixels, box, atol=1e-9):
                faults.append(f"{number}: box of {o.name}")
            came = np.add(before.get(o.id, o).centre_pixels, o.velocity_pixels_per_frame)
            if o.id in before and not np.allclose(came, (x, y), atol=1e-9):
                faults.append(f"{number}: velocity of {o.name}")
        before = {o.id: o for o in frame}
    return faults
