"""Greedy decoding: the argmax at every step."""

from collections.abc import Collection
from typing import Any

from torch import Tensor

from unrolled.decoding.driving import Ending
from unrolled.decoding.hypotheses import Hypotheses
from unrolled.decoding.paths import collect, walk
from unrolled.decoding.steps import AnyRecurrence


def greedy(
    model: AnyRecurrence,
    prompt: Tensor,
    *,
    state: Any = None,
    max_length: int,
    stop: int | Collection[int] | None = None,
    min_length: int = 0,
) -> Hypotheses:
    """Continue every prompt by the likeliest token, the smallest of equals, at every step.

        w_t = argmax over w of log p(w | prompt, w_0 ... w_{t-1})

    Shapes: prompt [B, P] int64; returns Hypotheses of K = 1.
    Args:
        model: any recurrence whose y is logits ``[B, T, V]`` or has a field ``logits``.
        prompt: at least one token; it is read, not repeated in the result.
        state: to go on from, for B rows.
        max_length: tokens chosen at most.
        stop: the token, or the tokens, that end a hypothesis.
        min_length: a hypothesis that finishes has at least so many tokens, its stop token included.
    Raises:
        ConfigError: a length that cannot be, or a stop token outside the vocabulary.
        NumericsError: logits of a row that are NaN, or all -inf.
        ShapeError: prompt is not [B, P].
    Source: none; the beam of one hypothesis.
    Example:
        >>> import torch
        >>> from unrolled.models import RecurrentLanguageModel
        >>> model = RecurrentLanguageModel(11, embedding_size=3, hidden_size=5)
        >>> found = greedy(model, torch.tensor([[3, 1]]), max_length=7, stop=[0, 2], min_length=7)
        >>> found.tokens.shape, found.lengths
        (torch.Size([1, 1, 7]), tensor([[7]]))
    """
    ending = Ending.of(stop, prompt.device, min_length=min_length, max_length=max_length)
    picks = walk(model, prompt, lambda scores: scores.argmax(dim=-1), ending, state=state)
    return collect(picks, ending)
