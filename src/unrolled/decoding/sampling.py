"""Ancestral sampling: each token is drawn from the distribution that the ones before it give."""

from collections.abc import Collection, Iterator
from functools import partial
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from unrolled.decoding.driving import Ending
from unrolled.decoding.hypotheses import Hypotheses
from unrolled.decoding.largest import largest
from unrolled.decoding.paths import Choice, collect, walk
from unrolled.decoding.steps import AnyRecurrence
from unrolled.errors import ConfigError


def sampled_tokens(
    model: AnyRecurrence,
    prompt: Tensor,
    *,
    state: Any = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    generator: torch.Generator | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Draw one token after the other, without end: ``(tokens [B], log_probabilities [B])``.

    The options are those of ``sample``.

    Example:
        >>> from unrolled.models import RecurrentLanguageModel
        >>> model = RecurrentLanguageModel(11, embedding_size=3, hidden_size=5)
        >>> tokens, log_probabilities = next(sampled_tokens(model, torch.tensor([[3, 1]])))
        >>> tokens.shape, log_probabilities.shape
        (torch.Size([1]), torch.Size([1]))
    """
    choose = _drawing(temperature, top_k, top_p, generator)
    ending = Ending.of(None, prompt.device)
    for pick in walk(model, prompt, choose, ending, state=state):
        yield pick.tokens, pick.log_probabilities


def sample(
    model: AnyRecurrence,
    prompt: Tensor,
    *,
    state: Any = None,
    max_length: int,
    stop: int | Collection[int] | None = None,
    min_length: int = 0,
    num_samples: int = 1,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    generator: torch.Generator | None = None,
) -> Hypotheses:
    """Draw ``num_samples`` continuations of every prompt.

    The prompt is read once. A token is drawn from p^(1/temperature), cut to the ``top_k`` likeliest
    tokens, then to the fewest likeliest whose share of what is left reaches ``top_p``.

    Shapes: prompt [B, P] int64; returns Hypotheses of K = num_samples, in no order.
    Args:
        model: any recurrence whose y is logits ``[B, T, V]`` or has a field ``logits``.
        prompt: at least one token; it is read, not repeated in the result.
        state: to go on from, for B rows.
        max_length: tokens drawn at most.
        stop: the token, or the tokens, that end a hypothesis.
        min_length: a hypothesis that finishes has at least so many tokens, its stop token included.
        num_samples: K.
        temperature: divides the logits; the log-probabilities returned are those of the model.
        top_k: how many tokens may be drawn; of equals the smallest. None: all.
        top_p: share of the probability that may be drawn from; 1: all.
        generator: makes the draws reproducible; of the CPU, it draws the same for every device.
    Raises:
        ConfigError: an option that cannot be, or a stop token outside the vocabulary.
        NumericsError: logits of a row that are NaN, or all -inf.
        ShapeError: prompt is not [B, P].
    Source: the product rule of probability; ``top_p`` is nucleus sampling, Holtzman et al. 2020,
        arXiv:1904.09751.
    Example:
        >>> from unrolled.models import RecurrentLanguageModel
        >>> model = RecurrentLanguageModel(11, embedding_size=3, hidden_size=5)
        >>> sample(model, torch.tensor([[3, 1]]), max_length=7, num_samples=2).tokens.shape
        torch.Size([1, 2, 7])
    """
    if num_samples < 1:
        raise ConfigError("num_samples of at least 1", str(num_samples))
    choose = _drawing(temperature, top_k, top_p, generator)
    ending = Ending.of(stop, prompt.device, min_length=min_length, max_length=max_length)
    picks = walk(model, prompt, choose, ending, state=state, copies=num_samples)
    return collect(picks, ending, copies=num_samples)


def _drawing(
    temperature: float, top_k: int | None, top_p: float, generator: torch.Generator | None
) -> Choice:
    if not (temperature > 0 and isfinite(temperature)):
        raise ConfigError("a temperature above 0", str(temperature), "decode greedily for 0")
    if top_k is not None and top_k < 1:
        raise ConfigError("top_k of at least 1", str(top_k))
    if not 0 < top_p <= 1:
        raise ConfigError("top_p above 0 and at most 1", str(top_p))
    return partial(_draw, temperature=temperature, top_k=top_k, top_p=top_p, generator=generator)


def _draw(
    scores: Tensor,
    temperature: float,
    top_k: int | None,
    top_p: float,
    generator: torch.Generator | None,
) -> Tensor:
    # The largest is brought to 0 first: however low the temperature, it stays there.
    smallest = torch.finfo(scores.dtype).tiny
    scores = (scores - scores.amax(dim=-1, keepdim=True)) / max(temperature, smallest)
    # NaN is a row without any possible token; what is drawn there ends up marked as impossible.
    scores = scores.nan_to_num(0.0, neginf=-torch.inf)
    if top_k is not None and top_k < scores.shape[-1]:
        values, tokens = largest(scores, top_k)
        scores = torch.full_like(scores, -torch.inf).scatter(-1, tokens, values)
    if top_p < 1:
        scores = _nucleus(scores, top_p)
    shares = scores.softmax(dim=-1)
    place = shares.device if generator is None else generator.device
    return torch.multinomial(shares.to(place), 1, generator=generator)[:, 0].to(shares.device)


def _nucleus(scores: Tensor, top_p: float) -> Tensor:
    ordered, tokens = scores.sort(dim=-1, descending=True, stable=True)
    shares = ordered.softmax(dim=-1)
    before = shares.cumsum(dim=-1) - shares
    kept = ordered.masked_fill(before >= top_p, -torch.inf)
    return torch.full_like(scores, -torch.inf).scatter(-1, tokens, kept)
