"""What a language model expects: of the tokens of a text, and after it."""

from dataclasses import asdict, dataclass
from typing import Any

import torch

from unrolled.errors import ReaderError
from unrolled.state import device_of
from unrolled.tasks.language.model import LanguageModel


@dataclass(frozen=True)
class Expectation:
    """A token, and the natural logarithm of its probability given all before it."""

    token: str
    log_probability: float


@dataclass(frozen=True)
class Prediction:
    """How likely a text is, and what comes next.

    Args:
        text: every token but the first, which nothing comes before.
        log_probability: of all of these together.
        following: the likeliest tokens after the text, best first.
    """

    text: list[Expectation]
    log_probability: float
    following: list[Expectation]

    def figures(self) -> dict[str, Any]:
        """Return the figures for a report."""
        return asdict(self)


@torch.no_grad()
def predict(model: LanguageModel, text: str, *, count: int = 5) -> Prediction:
    """Say what a model thinks of a text.

    Args:
        model: a trained model.
        text: at least one token that the model can read.
        count: how many of the likeliest next tokens to name.
    Raises:
        ReaderError: an empty text.
    """
    tokens = model.vocabulary.encode(text, what="the text")
    if not len(tokens):
        raise ReaderError("a text of at least one token", "an empty one")
    logits, _ = model.network(tokens[None].to(device_of(model.network)))
    scores = logits[0].log_softmax(dim=-1).cpu()  # [T, V]
    entries = model.vocabulary.entries
    found = [
        Expectation(entries[token], scores[place, token].item())
        for place, token in enumerate(tokens[1:].tolist())
    ]
    best = scores[-1].topk(min(count, len(entries)))
    following = [
        Expectation(entries[token], value)
        for value, token in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]
    return Prediction(found, sum(e.log_probability for e in found), following)
