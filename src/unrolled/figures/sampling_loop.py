"""Sampling: a character is drawn from the distribution, and read as the next input.

The model is a ``MinCharRNN`` of eight units that learnt forty words; the bars are its
distributions, the orange ones what was drawn, and their product is the probability of the text.

Source: Karpathy 2015, "The Unreasonable Effectiveness of Recurrent Neural Networks".
"""

from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unrolled.decoding import sampled_tokens
from unrolled.figures._learning import encoded, speller
from unrolled.figures.drawing import (
    GREY,
    INPUT,
    ORANGE,
    OUTPUT,
    STATE,
    TEXT,
    Box,
    arrow,
    board,
    box,
    route,
    signed,
    slide,
)

VOCABULARY, START = "helo.", "."
_WORDS = """
    hell hell hello heel lol hell hell heel hell heel lol hole lol hole heel hole hello lol heel
    lol lol hole heel hello hello heel hell lol hello heel hell heel lol hole lol hell hell lol
    heel hello
"""


class Drawn(NamedTuple):
    """A text that was sampled, step by step."""

    inputs: str
    distributions: list[list[float]]
    drawn: str
    log_probability: float


def draw() -> Figure:
    """Draw the loop, from the first full stop to the next."""
    figure = slide("Sampling: what is drawn is the next input")
    axes = board(figure, width=16.0, height=8.0, place=(0.01, 0.075, 0.98, 0.85))
    sampled = sample_a_word()
    pitch = 14.2 / len(sampled.drawn)
    look = {"width": 0.8, "height": 0.8, "fontsize": 18.0}
    before: Box | None = None
    fed: Box | None = None
    for step, character in enumerate(sampled.drawn):
        place = 2.6 + pitch * step
        x = box(axes, (place, 0.75), sampled.inputs[step], colour=INPUT, **look)
        h = box(axes, (place, 2.4), f"$h_{step + 1}$", colour=STATE, width=0.95, height=0.95)
        y = box(axes, (place, 7.0), character, colour=OUTPUT, **look)
        _draw_bars(axes, place, sampled.distributions[step], VOCABULARY.index(character))
        arrow(axes, x.top, h.bottom)
        arrow(axes, h.top, (place, 3.45))
        arrow(axes, (place, 6.0), y.bottom)
        if before is not None and fed is not None:
            arrow(axes, before.right, h.left)
            middle = (before.x + place) / 2 + 0.06
            points = [fed.right, (middle, fed.y), (middle, x.y), x.left]
            route(axes, points, colour=GREY, linestyle="--")
        before, fed = h, y
    for height, name in ((7.0, "drawn"), (4.7, "p(next)"), (2.4, "state"), (0.75, "input")):
        axes.text(0.1, height, name, va="center", fontsize=TEXT)
    figure.text(
        0.5,
        0.04,
        f'log p("{sampled.drawn}") = {signed(sampled.log_probability, 3)} nats: '
        "the sum of the logarithms of the orange bars",
        ha="center",
        fontsize=TEXT,
    )
    return figure


@torch.no_grad()
def sample_a_word() -> Drawn:
    """Train the model, and sample from one full stop to the next."""
    text = START + "".join(f"{word}." for word in _WORDS.split())
    with torch.enable_grad():
        model, _ = speller(text, VOCABULARY, hidden_size=8, seed=0, steps=60)
    prompt, drawn, log_probability = encoded(START, VOCABULARY), "", 0.0
    tokens = sampled_tokens(model, prompt, generator=torch.Generator().manual_seed(3))
    while not drawn.endswith("."):
        token, score = next(tokens)
        drawn += VOCABULARY[int(token)]
        log_probability += score.item()
    inputs = START + drawn[:-1]
    logits, _ = model(encoded(inputs, VOCABULARY))
    return Drawn(inputs, logits[0].softmax(dim=-1).tolist(), drawn, log_probability)


def _draw_bars(axes: Axes, place: float, distribution: list[float], drawn: int) -> None:
    """Draw one distribution as horizontal bars, a character each, the drawn one in orange."""
    left, longest = place - 0.75, 1.25
    for row, share in enumerate(distribution):
        height = 5.65 - 0.45 * row
        colour = ORANGE if row == drawn else "#BBBBBB"
        axes.barh(height, max(longest * share, 0.02), left=left, height=0.34, color=colour)
        axes.text(
            left - 0.12, height, VOCABULARY[row], ha="right", va="center_baseline", fontsize=12
        )
        if share >= 0.005:
            text = f"{100 * share:.0f} %"
            inside = share > 0.6
            x = left + longest * share + (-0.06 if inside else 0.06)
            side = "right" if inside else "left"
            axes.text(x, height, text, ha=side, va="center_baseline", fontsize=10.5)
