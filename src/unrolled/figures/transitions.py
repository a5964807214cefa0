"""Blue to orange, anywhere in space and time: what early fusion cannot do, and 3D convolution can.

A patch is blue, then orange, or the other way round: which? The decks' two small networks learn
from clips in which the change comes early, and are asked about every time. Early fusion has weights
of its own for every frame, and so has never learnt what the change looks like later. A 3D
convolution has the same weights at every time.

Source: lecture decks on video networks, the question "how to recognise blue-to-orange transitions
anywhere in space and time"; networks: the decks' table of early fusion and 3D CNN.
"""

from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from torch import nn

from unrolled.encoders import DeckEarlyFusion, DeckSlowFusion
from unrolled.figures._learning import seeded
from unrolled.figures.drawing import BLUE, GREY, INK, RED, SMALL, slide, tint
from unrolled.tasks.motion import LabelledClips, accuracy, learn
from unrolled.world import TRANSITION_CLASSES, TransitionWorld

SIDE, NUM_FRAMES, SHOWN_FRAMES = 24, 16, 2
LEARNT_TIMES = (2, 7)  # first and last frame of the second colour
TIMES = range(SHOWN_FRAMES, NUM_FRAMES - SHOWN_FRAMES + 1)
_CLIPS, _TESTED, _UNSEEN = 800, 60, 10**6
_STEPS, _BATCH, _RATE = 160, 32, 1e-2


@cache
def learners() -> dict[str, nn.Module]:
    """Train the two networks on early changes, from the same clips."""
    clips = LabelledClips.of(_world(LEARNT_TIMES), _CLIPS)
    with seeded(0):
        networks: dict[str, nn.Module] = {
            "early fusion": DeckEarlyFusion(class_count=2, clip_frames=NUM_FRAMES),
            "3D convolution": DeckSlowFusion(class_count=2),
        }
    for network in networks.values():
        learn(network, clips, 2, num_steps=_STEPS, batch_size=_BATCH, learning_rate=_RATE)
    return networks


def accuracies() -> dict[str, list[float]]:
    """Return for both networks the share right of unseen clips, for each of ``TIMES``."""
    tests = [LabelledClips.of(_world((t, t)), _TESTED, start=_UNSEEN) for t in TIMES]
    return {
        name: [accuracy(network, clips, 2) for clips in tests]
        for name, network in learners().items()
    }


def draw() -> Figure:
    """Draw two clips above the accuracy at every time."""
    figure = slide("Blue to orange: learnt early, asked at any time")
    for row, label in enumerate((0, 1)):
        _draw_clip(figure.add_axes((0.09, 0.79 - 0.13 * row, 0.87, 0.095)), label)
    axes = figure.add_axes((0.09, 0.11, 0.87, 0.49))
    for (name, shares), colour in zip(accuracies().items(), (RED, BLUE), strict=True):
        axes.plot(TIMES, shares, "o-", color=colour, label=name, markersize=8)
    first, last = LEARNT_TIMES
    axes.axvspan(first - 0.5, last + 0.5, color=tint(GREY, 0.2), zorder=0)
    axes.text(first - 0.4, 0.02, "times that both learnt from", fontsize=SMALL, color=GREY)
    axes.axhline(0.5, color=INK, linewidth=1.2, linestyle=(0, (1, 2)))
    axes.text(-0.4, 0.52, "chance", fontsize=SMALL)
    axes.set(xlim=(-0.5, NUM_FRAMES - 0.5), ylim=(-0.03, 1.05), xticks=range(NUM_FRAMES))
    axes.set(xlabel="frame at which the second colour begins", ylabel="unseen clips right")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.legend(loc="center left", bbox_to_anchor=(0.0, 0.65))
    return figure


def _world(times: tuple[int, int]) -> TransitionWorld:
    return TransitionWorld(
        height=SIDE, width=SIDE, frames=NUM_FRAMES, shown_frames=SHOWN_FRAMES, times=times
    )


def _draw_clip(axes: Axes, label: int) -> None:
    """Show the first unseen clip of a class, its frames side by side."""
    world = _world((11, 11) if label else (4, 4))
    clip = next(c for c in map(world.clip, range(_UNSEEN, _UNSEEN + 100)) if c.label == label)
    edge = np.full((NUM_FRAMES, SIDE, 2, 3), 255, dtype=np.uint8)
    frames = np.concatenate([clip.frames.transpose(0, 2, 3, 1), edge], axis=2)
    axes.imshow(np.concatenate(list(frames), axis=1), aspect="auto", interpolation="nearest")
    axes.axis("off")
    axes.text(0, -2.5, TRANSITION_CLASSES[label], fontsize=SMALL)
