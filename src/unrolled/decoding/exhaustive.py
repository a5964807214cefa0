"""Exhaustive search: every hypothesis there is; the oracle that the others are held to."""

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from unrolled.decoding.driving import (
    Ending,
    next_log_probabilities,
    next_logits,
    read_prompt,
)
from unrolled.decoding.hypotheses import Hypotheses
from unrolled.decoding.ranking import best, check_length_penalty
from unrolled.decoding.steps import AnyRecurrence
from unrolled.errors import ConfigError
from unrolled.state import select_rows

LIMIT = 300_000  # hypotheses, those of all prompts together


@torch.no_grad()
def exhaustive_search(
    model: AnyRecurrence,
    prompt: Tensor,
    *,
    state: Any = None,
    max_length: int,
    stop: int | Collection[int] | None = None,
    min_length: int = 0,
    num_hypotheses: int = 1,
    length_penalty: float = 0.0,
) -> Hypotheses:
    """Score every continuation of every prompt, and return the best.

    The hypotheses are all that reach a stop token and, of ``max_length``, all that do not. Their
    probabilities sum to 1. They are ranked as ``beam_search`` ranks them.

    Shapes: prompt [B, P] int64; returns Hypotheses of K = num_hypotheses, best first.
    Args:
        model: any recurrence whose y is logits ``[B, T, V]`` or has a field ``logits``.
        prompt: at least one token; it is read, not repeated in the result.
        state: to go on from, for B rows.
        max_length: tokens of a hypothesis at most.
        stop: the token, or the tokens, that end a hypothesis.
        min_length: a hypothesis that finishes has at least so many tokens, its stop token included.
        num_hypotheses: K.
        length_penalty: as in ``beam_search``.
    Raises:
        ConfigError: more hypotheses than ``LIMIT``, an option that cannot be, or a stop token
            outside the vocabulary.
        NumericsError: logits of a row that are NaN, or all -inf.
        ShapeError: prompt is not [B, P].
    Source: none; the definition of the best hypothesis.
    Example:
        >>> from unrolled.models import RecurrentLanguageModel
        >>> model = RecurrentLanguageModel(3, embedding_size=3, hidden_size=5)
        >>> found = exhaustive_search(
        ...     model, torch.tensor([[1]]), max_length=2, stop=0, num_hypotheses=7
        ... )
        >>> sorted(found.tokens[0].tolist())
        [[0, 0], [1, 0], [1, 1], [1, 2], [2, 0], [2, 1], [2, 2]]
        >>> round(found.log_probabilities.exp().sum().item(), 5)
        1.0
    """
    if num_hypotheses < 1:
        raise ConfigError("num_hypotheses of at least 1", str(num_hypotheses))
    ending = Ending.of(stop, prompt.device, min_length=min_length, max_length=max_length)
    check_length_penalty(length_penalty, max_length)
    parts = _enumerated(model, prompt, state, ending)
    return best(*parts, num_hypotheses, length_penalty=length_penalty, padding=ending.padding)


def _enumerated(
    model: AnyRecurrence, prompt: Tensor, state: Any, ending: Ending
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return tokens ``[B, P, L]``, lengths, log-probabilities and finished of all hypotheses."""
    logits, state = read_prompt(model, prompt, state, ending)
    num_rows, size = logits.shape
    _check_count(num_rows, size, ending)
    words = torch.arange(size, device=logits.device)
    others = words[~ending.reached(words)]
    prefixes = words.new_empty(1, 0)
    scores = logits.new_zeros(num_rows, 1)
    tokens, log_probabilities = [], []
    for position in range(ending.max_length):
        alive = scores > -torch.inf
        following = next_log_probabilities(logits, alive, ending, position=position)
        totals = scores[:, :, None] + following.view(num_rows, -1, size)
        tokens.append(_appended(prefixes, ending.stop))
        log_probabilities.append(totals[:, :, ending.stop].flatten(1))
        prefixes, scores = _appended(prefixes, others), totals[:, :, others].flatten(1)
        if position + 1 == ending.max_length or not len(others):
            break
        parents = torch.arange(len(following), device=words.device).repeat_interleave(len(others))
        state = select_rows(state, parents)  # copied: ours to overwrite
        logits, state = next_logits(model, others.repeat(len(following)), state)
    tokens, log_probabilities = [*tokens, prefixes], [*log_probabilities, scores]
    lengths = torch.cat([part.new_full((len(part),), part.shape[1]) for part in tokens])
    longest = prefixes.shape[1]
    every = torch.cat([F.pad(part, (0, longest - part.shape[1])) for part in tokens])
    finished = torch.arange(len(every), device=words.device) < len(every) - len(prefixes)
    return (
        every.expand(num_rows, -1, -1),
        lengths.expand(num_rows, -1),
        torch.cat(log_probabilities, dim=1),
        finished.expand(num_rows, -1),
    )


def _appended(prefixes: Tensor, words: Tensor) -> Tensor:
    """Put every word after every prefix: ``[M, n]`` and ``[W]`` to ``[M·W, n + 1]``."""
    before = prefixes.repeat_interleave(len(words), dim=0)
    return torch.cat([before, words.repeat(len(prefixes))[:, None]], dim=1)


def _check_count(num_rows: int, size: int, ending: Ending) -> None:
    num_stops = len(ending.stop)
    prefixes, count = num_rows, 0
    for _ in range(ending.max_length):
        count += prefixes * num_stops
        prefixes *= size - num_stops
        if count + prefixes > LIMIT:
            raise ConfigError(
                f"at most {LIMIT} hypotheses, of all prompts together",
                f"{count + prefixes} or more",
                "lower max_length, or use beam_search",
            )
