"""Follow one path a row: choose a token, feed it back, choose the next."""

from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.decoding.driving import (
    Ending,
    next_log_probabilities,
    next_logits,
    read_prompt,
)
from unrolled.decoding.hypotheses import Hypotheses, padded
from unrolled.decoding.steps import AnyRecurrence
from unrolled.state import select_rows

# Picks a token [R] by the log-probabilities [R, V].
Choice = Callable[[Tensor], Tensor]


class Pick(NamedTuple):
    """The next token of every row; padding, of log-probability 0, in rows that have ended."""

    tokens: Tensor  # [R]
    log_probabilities: Tensor  # [R]
    running: Tensor  # [R], whether the row had not ended before this token
    finished: Tensor  # [R], whether it has reached a stop token by now


@torch.no_grad()
def walk(
    model: AnyRecurrence,
    prompt: Tensor,
    choose: Choice,
    ending: Ending,
    *,
    state: Any = None,
    copies: int = 1,
) -> Iterator[Pick]:
    """Choose one token after the other, without end, in ``copies`` rows for every prompt."""
    logits, state = read_prompt(model, prompt, state, ending)
    rows = torch.arange(len(prompt), device=logits.device).repeat_interleave(copies)
    logits, state = select_rows((logits, state), rows)  # copied: step_ may write into it
    running = torch.ones_like(rows, dtype=torch.bool)
    finished = torch.zeros_like(running)
    for position in count():
        alive = running.view(-1, copies)
        scores = next_log_probabilities(logits, alive, ending, position=position)
        tokens = choose(scores).masked_fill(~running, ending.padding)
        picked = scores.gather(1, tokens[:, None])[:, 0].masked_fill(~running, 0)
        finished = finished | (running & ending.reached(tokens))
        yield Pick(tokens, picked, running, finished)
        running = running & ~finished & (picked > -torch.inf)
        logits, state = next_logits(model, tokens, state)


def collect(picks: Iterator[Pick], ending: Ending, *, copies: int = 1) -> Hypotheses:
    """Gather what was chosen, until every row has ended or is as long as it may be."""
    taken = []
    for pick in islice(picks, ending.max_length):
        taken.append(pick)
        if (pick.finished | ~pick.running).all():
            break
    parts = (
        torch.stack([pick.tokens for pick in taken], dim=1),
        torch.stack([pick.running for pick in taken]).sum(dim=0),
        torch.stack([pick.log_probabilities for pick in taken]).sum(dim=0),
        taken[-1].finished,
    )
    grouped = (part.view(-1, copies, *part.shape[1:]) for part in parts)
    return padded(*grouped, padding=ending.padding)
