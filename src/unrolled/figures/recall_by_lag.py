"""Which network can learn to recall a symbol, and after how many steps.

The question of the decks, "Jane went to buy the tickets ... she printed her ___", with all but the
lag taken away: one of 8 symbols is shown, distractors follow, and it is asked for. Each point on
the left is a network trained from nothing on this lag alone: as gradients vanish, there is less to
learn from. On the right each network is trained once on lags from 1 to the longest: what it learns
on short ones serves on long ones, except beyond what it can see.

``draw`` runs a small form, ``python -m acceptance.recall_by_lag`` that of docs/results/recall.md.

Source: Bengio, Simard & Frasconi 1994 (learning to latch); Hochreiter & Schmidhuber 1997, §5.2;
TCN: Bai, Kolter & Koltun 2018, arXiv:1803.01271.
"""

from collections.abc import Sequence
from statistics import mean
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, PercentFormatter

from unrolled.figures.drawing import BLUE, GREEN, GREY, INK, ORANGE, RED, SKY, SMALL, slide
from unrolled.tasks.recall import CHANCE, Learner, Recall, recall_after_all_lags, recall_by_lag

WINDOW = 10
_TCN = {"kernel_size": 11, "num_levels": 2, "convolutions_per_level": 1}
RECEPTIVE_FIELD = 31  # 1 + 1 (11 - 1) (2^2 - 1)
_OPEN = {"forget_bias": 3.0}

LEARNERS = {
    "RNN": Learner("rnn", {}),
    "GRU": Learner("gru", {}),
    "LSTM": Learner("lstm", {}),
    "LSTM, forget bias 3": Learner("lstm", _OPEN),
    "LSTM, forget bias 3, window 10": Learner("lstm", _OPEN, window=WINDOW),
    "LSTM, forget bias 3, window 10, state dropped": Learner(
        "lstm", _OPEN, window=WINDOW, carry_state=False
    ),
    "TCN": Learner("tcn", _TCN),
}


class _Look(NamedTuple):
    colour: str
    marker: str
    linestyle: str


_LOOKS = dict(
    zip(
        LEARNERS,
        (
            _Look(RED, "o", "-"),
            _Look(GREEN, "s", "-"),
            _Look(SKY, "D", "-"),
            _Look(BLUE, "^", "-"),
            _Look(BLUE, "v", "--"),
            _Look(GREY, "v", ":"),
            _Look(ORANGE, "P", "-"),
        ),
        strict=True,
    )
)


LAGS, NUM_BATCHES = (5, 10, 30, 31), 120  # of the small form


def draw() -> Figure:
    """Run the small form, one seed and few updates, and draw it."""
    return plot(
        [
            *recall_by_lag(LEARNERS, LAGS, num_batches=NUM_BATCHES, seeds=(0,)),
            *recall_after_all_lags(LEARNERS, LAGS, num_batches=NUM_BATCHES, seeds=(0,)),
        ]
    )


def plot(results: Sequence[Recall]) -> Figure:
    """Draw accuracy against lag, the mean over seeds, and their spread as bars."""
    figure = slide("Recall after a lag: what can be learned, and what can be seen")
    left = figure.add_axes((0.075, 0.24, 0.43, 0.575))
    right = figure.add_axes((0.545, 0.24, 0.43, 0.575))
    titles = {"this lag": "each point trained on its lag alone", "all lags": "trained on all lags"}
    for axes, (trained_on, title) in zip((left, right), titles.items(), strict=True):
        shown = [result for result in results if result.trained_on == trained_on]
        for label in LEARNERS:
            _curve(axes, label, [result for result in shown if result.learner == label])
        _frame(axes, sorted({result.lag for result in shown}))
        axes.set_title(title, loc="left", pad=26)
    left.set_ylabel("symbols recalled")
    right.tick_params(labelleft=False)
    figure.legend(*left.get_legend_handles_labels(), loc="lower center", ncols=3, fontsize=SMALL)
    return figure


def _curve(axes: Axes, label: str, results: Sequence[Recall]) -> None:
    look = _LOOKS[label]
    by_lag: dict[int, list[float]] = {}
    for result in results:
        by_lag.setdefault(result.lag, []).append(result.accuracy)
    means = [mean(values) for values in by_lag.values()]
    below = [centre - min(values) for centre, values in zip(means, by_lag.values(), strict=True)]
    above = [max(values) - centre for centre, values in zip(means, by_lag.values(), strict=True)]
    axes.errorbar(
        list(by_lag),
        means,
        yerr=(below, above),
        label=label,
        color=look.colour,
        marker=look.marker,
        linestyle=look.linestyle,
        markersize=7,
        capsize=3,
        elinewidth=1.2,
    )


def _frame(axes: Axes, lags: Sequence[int]) -> None:
    """Add what a reader compares with: chance, the window, and the end of the receptive field."""
    axes.set_xscale("log")
    axes.set_xticks([lag for lag in lags if lag != RECEPTIVE_FIELD], minor=False)
    axes.set_xticklabels([str(lag) for lag in lags if lag != RECEPTIVE_FIELD])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()
    axes.set(ylim=(0, 1.04), xlabel="lag: steps from symbol to question")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.axhline(CHANCE, color=INK, linewidth=1.2, linestyle=(0, (1, 2)))
    axes.text(lags[0], CHANCE - 0.015, "chance, 1 in 8", fontsize=SMALL, va="top")
    beside = "left" if lags[-1] > 2 * RECEPTIVE_FIELD else "right"  # where there is room
    for lag, colour, text, side in (
        (WINDOW - 0.5, BLUE, "window of 10 ", "right"),
        (RECEPTIVE_FIELD - 0.5, ORANGE, " TCN's receptive field ", beside),
    ):
        axes.axvline(lag, color=colour, linewidth=1, alpha=0.6, zorder=0)
        axes.text(lag, 1.055, text, fontsize=SMALL, color=colour, ha=side, va="bottom")
