"""Does a network use motion? Its accuracy when the frames no longer tell what moves, or how.

Both networks learn from the same clips of the embedded world: does the shape go left, right, up or
down? No frame by itself tells. What averages over single frames stays at chance, and loses
nothing when frames are shuffled; what streams loses everything that it knows with the order.

Source: Huang et al. 2018, "What makes a video a video"; Sevilla-Lara et al. 2019, arXiv:1907.08340.
"""

from functools import cache

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from unrolled.diagnostics.motion import WAYS, MotionDiagnosis
from unrolled.encoders import SingleFrame
from unrolled.figures._learning import seeded
from unrolled.figures.drawing import BLUE, GREY, INK, SMALL, slide
from unrolled.models import CausalSmall
from unrolled.tasks.motion import LabelledClips, diagnose, learn
from unrolled.world import MotionWorld

CLASSES = ("left", "right", "up", "down")
_SIDE, _CLIPS, _TESTED, _UNSEEN = 32, 1600, 200, 10**6
_BAR = 0.36


@cache
def diagnoses() -> dict[str, MotionDiagnosis]:
    """Train both networks, and show them unseen clips in every way."""
    world = MotionWorld(height=_SIDE, width=_SIDE, classes=CLASSES)
    clips = LabelledClips.of(world, _CLIPS)
    unseen = LabelledClips.of(world, _TESTED, start=_UNSEEN)
    count = len(CLASSES)
    with seeded(0):
        single = SingleFrame(class_count=count, width=8)
        streaming = CausalSmall(count, widths=(24, 48), hidden_size=64, dropout=0.0)
    learn(single, clips, count, num_steps=40)
    learn(streaming, clips, count, num_steps=360, batch_size=16, learning_rate=1e-2)
    return {
        "single frames, averaged": diagnose(single, unseen, CLASSES),
        "streaming network": diagnose(streaming, unseen, CLASSES),
    }


def draw() -> Figure:
    """Draw the accuracy of both in every way."""
    return plot(diagnoses())


def plot(found: dict[str, MotionDiagnosis]) -> Figure:
    """Draw diagnoses as groups of bars, one a way of showing the frames."""
    figure = slide("Which way does it move? Who uses motion, and who cannot")
    axes = figure.add_axes((0.09, 0.13, 0.88, 0.68))
    for number, ((name, diagnosis), colour) in enumerate(
        zip(found.items(), (GREY, BLUE), strict=True)
    ):
        for place, way in enumerate(WAYS):
            share = diagnosis.accuracy(way) or 0.0
            x = place + (number - 0.5) * _BAR
            label = name if place == 0 else None
            axes.bar(x, share, 0.92 * _BAR, color=colour, label=label)
            axes.text(x, share + 0.012, f"{share:.0%}", ha="center", fontsize=SMALL)
    chance = 1 / len(next(iter(found.values())).class_names)
    axes.axhline(chance, color=INK, linewidth=1.2, linestyle=(0, (1, 2)), zorder=0)
    axes.text(len(WAYS) - 0.42, chance + 0.012, "chance", fontsize=SMALL, ha="right")
    axes.set(xlim=(-0.6, len(WAYS) - 0.4), ylim=(0, 1.08), ylabel="unseen clips right")
    axes.set_xticks(range(len(WAYS)), WAYS)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.legend(loc="upper right", bbox_to_anchor=(1.0, 1.12))
    return figure
