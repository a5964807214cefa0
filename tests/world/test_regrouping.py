"""Where chance finds no path, a path is made: it has to be as good."""

import numpy as np
import pytest

from tests.world.observer import observe, scenes
from tests.world.truth import box_faults, pixel_faults, placing_faults
from unrolled.world import Deed, World, choreography
from unrolled.world.draws import Draws
from unrolled.world.regrouping import perform_in_cells
from unrolled.world.stage import Cue, Motion, Stage

LINE = [0.12, 0.37, 0.62, 0.87]
DEEDS = [
    Deed("enters", "red circle", side="right"),
    Deed("leaves", "red circle", side="top"),
    Deed("turns", "red circle", turn="left"),
    Deed("turns", "red circle", turn="around"),
    Deed("grows", "red circle"),
    Deed("meets", "red circle", other="blue square"),
    Deed("passes", "red circle", other="blue square"),
]


def faults(stage: Stage, cue: Cue, motion: Motion) -> list[str]:
    """Find collisions and who is outside, in steps far smaller than a frame's."""
    found = []
    for n in range(len(cue.shapes)):
        x, y = motion.centres[:, n].T
        half = motion.sizes[:, n] / 2
        room = np.minimum.reduce(
            [x - half, stage.width - x - half, y - half, stage.height - y - half]
        )
        if room.min() < 0 and (n != cue.who or cue.deed.side is None):
            found.append(f"{n} is outside")
        for m in range(n):
            apart = abs(motion.centres[:, n] - motion.centres[:, m]).max(axis=1)
            near = apart < (motion.sizes[:, n] + motion.sizes[:, m]) / 2
            if ({n, m} != {cue.who, cue.other} and near.any()) or near[-1]:
                found.append(f"{n} touches {m}")
    return found


@pytest.mark.parametrize("size", [(64, 64), (48, 96), (96, 40)])
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.verb)
def test_from_anywhere_the_event_is_reached_without_a_collision(
    deed: Deed, size: tuple[int, int]
) -> None:
    draws, coming = Draws(7), deed.verb == "enters"
    stage = Stage(*size, frames=2000)  # many, to see what would lie between frames
    for number in range(12):
        sizes = draws.uniform(0.15, 0.23, 4 - coming) * stage.scale
        centres = choreography.settle(stage, sizes, draws)
        if number % 4 == 0:  # all in a line, of any order, from left to right or top to bottom
            sizes[:] = 0.15 * stage.scale
            axis = number // 4 % 2
            centres = np.full_like(centres, stage.scale / 2)
            line = np.roll(LINE, number)[: len(centres)]
            centres[:, axis] = line * np.array([stage.width, stage.height])[axis]
        if coming:  # the last one's place does not count: it is not there yet
            sizes, centres = np.append(sizes, 9.0), np.append(centres, [[0.0, 0.0]], axis=0)
        who, other = (3 if coming else 0), (1 if deed.other else None)
        cue = Cue(
            deed, ["circle", "square", "triangle", "square"], centres, sizes, sizes, who, other
        )
        motion = perform_in_cells(stage, cue, 800)
        there = slice(0, 4 - coming)
        assert np.array_equal(motion.centres[0, there], centres[there])
        assert abs(np.diff(motion.centres[:, there], axis=0)).max() < 0.05 * stage.scale
        assert faults(stage, cue, motion) == []


def test_clips_made_so_throughout_are_true_and_as_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choreography, "_ROUNDS", 0)
    for seed in range(8):
        clip = World(seed, events_before=4).clip(seed)
        assert placing_faults(clip) + box_faults(clip) + pixel_faults(clip, 13) == []
        for deed, frames in scenes(clip):
            assert observe(frames, (64, 64)) == deed
