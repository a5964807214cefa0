"""Ancestral sampling: each token is drawn from the distribution that the ones before it give."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from unrolled.decoding.hypotheses import Hypotheses
from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence
from unrolled.shapes import check_shape
from unrolled.state import map_leaves, select_rows


@torch.no_grad()
def sampled_tokens(
    model: Recurrence[Any, Any, Any, Any],
    prompt: Tensor,
    *,
    state: Any = None,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Draw one token after the other, without end: ``(tokens [B], log_probabilities [B])``.

    Example:
        >>> from unrolled.models import RecurrentLanguageModel
        >>> model = RecurrentLanguageModel(11, embedding_size=3, hidden_size=5)
        >>> tokens, log_probabilities = next(sampled_tokens(model, torch.tensor([[3, 1]])))
        >>> tokens.shape, log_probabilities.shape
        (torch.Size([1]), torch.Size([1]))
    """
    check_shape("prompt", prompt, "B P")
    if temperature <= 0:
        raise ConfigError("a temperature above 0", str(temperature))
    y, state = model(prompt, state)
    y_t = map_leaves(lambda leaf: leaf[:, -1], y)
    state = map_leaves(torch.clone, state)  # ours from here on: step_ may write into it
    while True:
        logits = getattr(y_t, "logits", y_t).float()
        scaled = (logits / temperature).softmax(dim=-1)
        tokens = torch.multinomial(scaled, 1, generator=generator)
        yield tokens[:, 0], logits.log_softmax(dim=-1).gather(1, tokens)[:, 0]
        y_t, state = model.step_(tokens[:, 0], state)


def sample(
    model: Recurrence[Any, Any, Any, Any],
    prompt: Tensor,
    *,
    state: Any = None,
    max_length: int,
    stop: int | None = None,
    num_samples: int = 1,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Hypotheses:
    """Draw ``num_samples`` continuations of every prompt.

    Shapes: prompt [B, P] int64; returns Hypotheses of K = num_samples, in no order.
    Args:
        model: any recurrence whose y is logits ``[B, T, V]`` or has a field ``logits``.
        prompt: at least one token; it is read, not repeated in the result.
        state: to go on from, for B rows.
        max_length: tokens drawn at most.
        stop: the token that ends a hypothesis.
        num_samples: K.
        temperature: divides the logits; the log-probabilities returned are those of the model.
        generator: makes the draws reproducible.
    Raises:
        ConfigError: a temperature, length or number of samples that is not above 0.
        ShapeError: prompt is not [B, P].
    Source: none; the product rule of probability.
    Example:
        >>> from unrolled.models import RecurrentLanguageModel
        >>> model = RecurrentLanguageModel(11, embedding_size=3, hidden_size=5)
        >>> sample(model, torch.tensor([[3, 1]]), max_length=7, num_samples=2).tokens.shape
        torch.Size([1, 2, 7])
    """
    if min(max_length, num_samples) < 1:
        raise ConfigError("sizes of at least 1", f"{max_length = }, {num_samples = }")
    rows = torch.arange(len(prompt)).repeat_interleave(num_samples)
    prompts = select_rows(prompt, rows)
    state = None if state is None else select_rows(state, rows)
    draws = sampled_tokens(
        model, prompts, state=state, temperature=temperature, generator=generator
    )
    finished = torch.zeros(len(rows), dtype=torch.bool, device=prompt.device)
    lengths = torch.zeros(len(rows), dtype=torch.int64, device=prompt.device)
    totals = torch.zeros(len(rows), device=prompt.device)
    columns = []
    for tokens, log_probabilities in islice(draws, max_length):
        if stop is not None:
            tokens = tokens.masked_fill(finished, stop)
        columns.append(tokens)
        totals += log_probabilities.masked_fill(finished, 0)
        lengths += ~finished
        if stop is not None:
            finished = finished | (tokens == stop)
            if finished.all():
                break
    parts = (torch.stack(columns, dim=1), lengths, totals, finished)
    return Hypotheses(*(part.view(-1, num_samples, *part.shape[1:]) for part in parts))
