"""A trained LSTM's gates over sentences that it reads: 0 is shut, 1 is open.

A small network learns the embedded world's narration character by character. Its input, forget and
output gates are then recomputed from its weights at every character. Rows are the units whose gates
move most with the end of a word, with the end of a sentence, and with anything else.

    c' = forget * c + input * tanh(g)        h' = output * tanh(c')

Source: LSTM: Hochreiter & Schmidhuber 1997, Gers et al. 2000; gates over a text: Karpathy, Johnson
& Fei-Fei 2016, arXiv:1506.02078, §4.2.
"""

from typing import cast

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from unrolled.cells import LSTM
from unrolled.diagnostics import LSTMGates, lstm_gates
from unrolled.figures._learning import seeded
from unrolled.figures.drawing import BLUE, INK, SMALL, TEXT, slide
from unrolled.readers.text import TextParts
from unrolled.tasks.language.model import LanguageModel, prepare
from unrolled.training.options import TrainingOptions
from unrolled.world import narrate

HIDDEN_SIZE, NUM_STEPS = 48, 500
NUM_ROWS = 8  # of each gate, for each of the two signals
_WARM_UP, _SHOWN = 400, 84  # characters


def trained_model(num_steps: int = NUM_STEPS) -> LanguageModel:
    """Return a model of the narration after so many updates."""
    with seeded(0):
        learning = prepare(
            TextParts(narrate(1500).text),
            "lstm",
            {"embedding_size": 16, "hidden_size": HIDDEN_SIZE},
            training=TrainingOptions(
                epochs=num_steps, max_steps=num_steps, learning_rate=1e-2, batch_size=16, window=48
            ),
        )
        learning.training.run()
    return learning.model


def cell_and_input(model: LanguageModel, text: str) -> tuple[LSTM, Tensor]:
    """Return the model's cell, and what comes to it when the model reads ``text``."""
    embedding, cell = list(model.network.children())[:2]
    x, _ = embedding(model.vocabulary.encode(text)[None])
    return cast(LSTM, cell), x.detach()


def ranked_units(gate: Tensor, signal: Tensor, count: int) -> Tensor:
    """Return the ``count`` units of ``gate [T, D]`` that move most with ``signal [T]``.

    In order of correlation: units that open with it first, units that shut with it last.
    """
    both = torch.cat([signal[:, None], gate], dim=1)
    correlation = torch.corrcoef(both.T)[0, 1:].nan_to_num()  # NaN where a gate never moves
    chosen = correlation.abs().topk(count).indices
    by_sign = correlation[chosen].argsort(descending=True)
    return chosen[by_sign]


def draw() -> Figure:
    """Train, read a new story, and draw each gate as a heat map over its characters."""
    model = trained_model()
    text = narrate(60, seed=1).text
    cell, x = cell_and_input(model, text)
    gates = lstm_gates(cell, x)
    start = text.index("\n", _WARM_UP) + 1
    figure = slide("The gates of an LSTM as it reads")
    rows = zip(("input_gate", "forget_gate", "output_gate"), (0.63, 0.355, 0.08), strict=True)
    for name, bottom in rows:
        axes = figure.add_axes((0.085, bottom, 0.845, 0.185))
        _draw_gate(axes, name, gates, text, start)
    scale = figure.add_axes((0.945, 0.08, 0.012, 0.735))
    figure.colorbar(figure.axes[0].images[0], cax=scale, ticks=[0, 0.5, 1])
    scale.set_yticklabels(["shut", "0.5", "open"], fontsize=SMALL)
    return figure


def _draw_gate(axes: Axes, name: str, gates: LSTMGates, text: str, start: int) -> None:
    """Draw the units of one gate that move most with words' and with sentences' ends."""
    gate = getattr(gates, name)[0]
    signals = [
        torch.tensor([float(character in marks) for character in text]) for marks in (" .\n", ".\n")
    ]
    word_units = ranked_units(gate, signals[0], NUM_ROWS)
    sentence_units = ranked_units(gate, signals[1], 2 * NUM_ROWS)
    others = [unit for unit in sentence_units.tolist() if unit not in word_units.tolist()]
    units = [*word_units.tolist(), *others[:NUM_ROWS]]
    shown = gate[start : start + _SHOWN, units].T.numpy()
    axes.imshow(shown, cmap="cividis", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    visible = text[start : start + _SHOWN].replace("\n", "\N{RETURN SYMBOL}")
    axes.set_xticks(range(_SHOWN), visible, family="monospace", fontsize=TEXT)
    axes.tick_params(length=0)
    axes.axhline(NUM_ROWS - 0.5, color="white", linewidth=2)
    axes.set_yticks(
        [NUM_ROWS / 2 - 0.5, 1.5 * NUM_ROWS - 0.5], ["word\nends", "sentence\nends"], fontsize=SMALL
    )
    axes.set_title(name.replace("_", " "), loc="left", color=BLUE, pad=5)
    for place, character in enumerate(visible):
        if character in " \N{RETURN SYMBOL}":
            axes.axvline(place + 0.5, color=INK, linewidth=0.5)
