"""From a story to a clip: event by event the actors move, are painted, and are written down."""

import numpy as np

from unrolled.world.casting import Actor, cast
from unrolled.world.choreography import perform, settle
from unrolled.world.clip import FRAME_RATE_HZ, Box, Clip, ClipObject, Event, Point
from unrolled.world.draws import Draws
from unrolled.world.narration import Deed, Narration
from unrolled.world.rendering import Painted, background, paint
from unrolled.world.stage import Array, Cue, Motion, Stage


def animate(
    stage: Stage, deeds: list[Deed], opening: tuple[str, ...], narration: Narration, draws: Draws
) -> Clip:
    """Return the clip of a story.

    Args:
        stage: the size of the frames, and how many an event takes.
        deeds: the story, each of which can happen.
        opening: the names of those who are there at the beginning.
        narration: the story as it is told.
        draws: of all that the story leaves open.
    """
    behind = background(stage.height, stage.width, draws)
    actors = cast(opening, deeds, stage.scale, draws)
    playing, coming = actors[: len(opening)], actors[len(opening) :]
    sizes = np.array([actor.size for actor in playing])
    centres = settle(stage, sizes, draws)
    frames, objects, events = [], [], []
    for number, deed in enumerate(deeds):
        if deed.verb == "enters":
            playing = [*playing, coming.pop(0)]
            sizes = np.append(sizes, playing[-1].size)
            centres = np.append(centres, [[0.0, 0.0]], axis=0)  # its motion begins outside
        cue = _cue(deed, playing, centres, sizes)
        motion = perform(stage, cue, draws)
        painted = _paint(behind, playing, motion, cue)
        frames.append(painted.frames)
        objects += _objects(stage, playing, motion, painted, cue)
        events.append(_event(cue, playing, number * stage.frames, stage.frames))
        stays = [n for n in range(len(playing)) if deed.verb != "leaves" or n != cue.who]
        playing, centres = [playing[n] for n in stays], motion.centres[-1, stays]
        sizes = motion.sizes[-1, stays]
    pictures = np.concatenate(frames)
    pts_seconds = np.arange(len(pictures)) / FRAME_RATE_HZ
    return Clip(pictures, pts_seconds, tuple(objects), tuple(events), opening, narration)


def _cue(deed: Deed, playing: list[Actor], centres: Array, sizes: Array) -> Cue:
    names = [actor.name for actor in playing]
    who, other = names.index(deed.who), names.index(deed.other) if deed.other else None
    after = sizes.copy()
    after[who] += playing[who].change(deed.verb)
    return Cue(deed, [actor.shape for actor in playing], centres, sizes, after, who, other)


def _order(cue: Cue) -> list[int]:
    """Return the shapes from the nearest to the farthest; only who passes behind is seen to."""
    return sorted(range(len(cue.shapes)), key=lambda n: (n == cue.who) - (n == cue.other))


def _paint(behind: Array, playing: list[Actor], motion: Motion, cue: Cue) -> Painted:
    colours = [actor.colour for actor in playing]
    return paint(behind, colours, cue.shapes, motion.centres[1:], motion.sizes[1:], _order(cue))


def _objects(
    stage: Stage, playing: list[Actor], motion: Motion, painted: Painted, cue: Cue
) -> list[tuple[ClipObject, ...]]:
    """Write down what is in each frame."""
    depths = np.argsort(_order(cue)).tolist()
    half = motion.sizes[1:, :, None] / 2
    edges = [float(stage.width), float(stage.height)]
    corners = [np.clip(motion.centres[1:] + side * half, 0.0, edges) for side in (-1, 1)]
    there = (corners[0] < corners[1]).all(axis=-1) & (painted.within > 0)
    least, greatest = (corner.tolist() for corner in corners)
    velocities = np.diff(motion.centres, axis=0).tolist()
    centres, sizes = motion.centres[1:].tolist(), motion.sizes[1:].tolist()
    visible = painted.visible.tolist()
    return [
        tuple(
            ClipObject(
                id=actor.id,
                colour=actor.colour,
                shape=actor.shape,
                centre_pixels=Point(*centres[f][n]),
                size_pixels=sizes[f][n],
                velocity_pixels_per_frame=Point(*velocities[f][n]),
                box_pixels=Box(*least[f][n], *greatest[f][n]),
                visible_share=visible[f][n],
                depth=depths[n],
            )
            for n, actor in enumerate(playing)
            if there[f, n]
        )
        for f in range(stage.frames)
    ]


def _event(cue: Cue, playing: list[Actor], start_frame: int, num_frames: int) -> Event:
    other_id = None if cue.other is None else playing[cue.other].id
    return Event(cue.deed, playing[cue.who].id, other_id, start_frame, start_frame + num_frames)
