"""Beam search: the K best unfinished hypotheses grow side by side."""

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor

from unrolled.decoding.driving import Ending, check_prompt, likeliest
from unrolled.decoding.heads import Speaker, Unspoken
from unrolled.decoding.hypotheses import Hypotheses
from unrolled.decoding.largest import largest
from unrolled.decoding.ranking import best, check_length_penalty, contenders, penalised
from unrolled.decoding.steps import AnyRecurrence
from unrolled.errors import ConfigError
from unrolled.kernels.extend import extend
from unrolled.kernels.naive import Arm, Extended
from unrolled.recurrence import Recurrence
from unrolled.state import leaves, map_leaves, select_rows

# Share of prompts that must be done before they leave the batch: a context is copied then.
_LEAVING = 0.25


@torch.no_grad()
def beam_search(
    model: AnyRecurrence,
    prompt: Tensor,
    *,
    state: Any = None,
    max_length: int,
    stop: int | Collection[int] | None = None,
    min_length: int = 0,
    beam_size: int = 5,
    length_penalty: float = 0.0,
) -> Hypotheses:
    """Look for the best continuations of every prompt, keeping ``beam_size`` of each length.

        score = log p(w_0 ... w_{n-1} | prompt) / ((5 + n) / 6) ** length_penalty

    At every step all one-token continuations of the unfinished hypotheses are ranked together.
    Those among the best K that stop are set aside; the best K that do not stop go on. The result is
    the best K of all that were set aside and, if the search came to ``max_length``, of the
    unfinished ones: both compete by score, and of equals the first in order of tokens wins.

    The search ends early when K finished hypotheses are better than any unfinished one can become.
    A log-probability only falls, and the penalty is largest at ``max_length``; so the bound on what
    may come of an unfinished one is its log-probability over the penalty there.

    With ``beam_size=1`` and no penalty this is ``greedy``.

    Shapes: prompt [B, P] int64; returns Hypotheses of K = beam_size, best first.
    Args:
        model: any recurrence whose y is logits ``[B, T, V]`` or has a field ``logits``.
        prompt: at least one token; it is read, not repeated in the result.
        state: to go on from, for B rows.
        max_length: tokens of a hypothesis at most.
        stop: the token, or the tokens, that end a hypothesis.
        min_length: a hypothesis that finishes has at least so many tokens, its stop token included.
        beam_size: K.
        length_penalty: 0 ranks by log-probability; above, longer hypotheses gain. The
            log-probabilities returned are those of the model.
    Raises:
        ConfigError: an option that cannot be, or a stop token outside the vocabulary.
        NumericsError: logits of a row that are NaN, or all -inf.
        ShapeError: prompt is not [B, P].
    Source: the penalty: Wu et al. 2016, arXiv:1609.08144, eq. 14. Differs: no coverage penalty, no
        pruning by a margin.
    Example:
        >>> from unrolled.models import RecurrentLanguageModel
        >>> model = RecurrentLanguageModel(11, embedding_size=3, hidden_size=5)
        >>> found = beam_search(model, torch.tensor([[3, 1]]), max_length=7, beam_size=3)
        >>> found.tokens.shape, found.finished
        (torch.Size([1, 3, 7]), tensor([[False, False, False]]))
    """
    if beam_size < 1:
        raise ConfigError("beam_size of at least 1", str(beam_size))
    ending = Ending.of(stop, prompt.device, min_length=min_length, max_length=max_length)
    check_length_penalty(length_penalty, max_length)
    check_prompt(model, prompt)
    speaker = Speaker.of(model)
    said, state = speaker.read(prompt, state)
    ending.check_vocabulary(said.shape[1])
    trail = _search(speaker, said, state, ending, beam_size, length_penalty)
    return _result(trail, ending, beam_size, length_penalty)


def _search(
    speaker: Speaker,
    said: Tensor | Unspoken,
    state: Any,
    ending: Ending,
    beam_size: int,
    length_penalty: float,
) -> list[Extended]:
    num_rows, like = said.shape[0], said.features if isinstance(said, Unspoken) else said
    scores = like.new_zeros(num_rows, 1)  # one hypothesis, so far empty, for every prompt
    found = like.new_full((num_rows, beam_size), -torch.inf)
    here = torch.arange(num_rows, device=like.device)  # prompts that the model still runs for
    done = torch.zeros_like(here, dtype=torch.bool)
    trail: list[Extended] = []
    while True:
        alive = ~done[:, None] & (scores > -torch.inf)
        step = _extend(said, alive, scores, ending, beam_size, position=len(trail))
        trail.append(_for_every_prompt(step, here, num_rows))
        gained = penalised(step.ended.scores, len(trail), length_penalty)
        found = largest(torch.cat([found, gained], dim=1), beam_size)[0]
        done = _settled(step.live.scores, found, ending, length_penalty)
        num_done = int(done.sum())
        if len(trail) == ending.max_length or num_done == len(done):
            return trail
        first = torch.arange(len(here), device=scores.device)[:, None] * scores.shape[1]
        live, parents = step.live, first + step.live.parents
        without = _without(speaker, done) if num_done >= _LEAVING * len(done) else None
        if without is not None:
            speaker, kept = without, (~done).nonzero().flatten()
            live, parents, found, here, done = select_rows((live, parents, found, here, done), kept)
        state = select_rows(state, parents.flatten())  # copied: ours to overwrite
        scores = live.scores
        said, state = speaker.step(live.tokens.flatten(), state)


def _without(speaker: Speaker, done: Tensor) -> Speaker | None:
    """Return the model for the prompts that are not done, or None if it has them in no one order.

    Prompts may share a row of the context, as many each; then each takes that row along.
    """
    contexts = [m._context for m in speaker.model.modules() if isinstance(m, Recurrence)]
    sizes = {len(leaves(context)[0]) for context in contexts if context is not None}
    if len(sizes) > 1:
        return None
    shared = len(done) // sizes.pop() if sizes else 1
    return speaker.rows((~done).nonzero().flatten() // shared)


def _for_every_prompt(step: Extended, here: Tensor, num_rows: int) -> Extended:
    """Put the rows of a step where their prompts are; prompts that have left get no hypotheses."""
    if len(here) == num_rows:
        return step

    def spread(leaf: Tensor) -> Tensor:
        empty = -torch.inf if leaf.is_floating_point() else 0
        return leaf.new_full((num_rows, leaf.shape[1]), empty).index_copy_(0, here, leaf)

    return map_leaves(spread, step)


def _settled(scores: Tensor, found: Tensor, ending: Ending, length_penalty: float) -> Tensor:
    """Say for each prompt whether its K best finished hypotheses will stay the K best."""
    reachable = penalised(scores.amax(dim=1), ending.max_length, length_penalty)
    # Not where they are equal: the unfinished one may come first in order of tokens.
    return (reachable < found[:, -1]) | (reachable == -torch.inf)


def _extend(
    logits: Tensor | Unspoken,
    alive: Tensor,
    scores: Tensor,
    ending: Ending,
    beam_size: int,
    *,
    position: int,
) -> Extended:
    """Rank every hypothesis ``scores [B, M]`` with every next token, by ``logits [B·M, V]``."""
    num_live, size, num_stops = scores.shape[1], logits.shape[1], len(ending.stop)
    # At most num_stops of every hypothesis's continuations stop: the others are at least K. No
    # hypothesis needs more than that of its own likeliest.
    wanted = min(size, beam_size * (1 + num_stops))
    following, tokens = likeliest(logits, alive, ending, position=position, k=wanted)
    each = len(scores), num_live, wanted
    # A column at least, impossible if it must be: a search without any live one has ended.
    num_going_on = max(1, min(beam_size, num_live * (size - num_stops)))
    return extend(
        following.view(each), tokens.view(each), scores, ending.stop, beam_size, num_going_on
    )


def _result(
    trail: list[Extended], ending: Ending, beam_size: int, length_penalty: float
) -> Hypotheses:
    arms = [(step.ended, length) for length, step in enumerate(trail, start=1)]
    if len(trail) == ending.max_length:
        arms.append((trail[-1].live, len(trail)))
    pool = map_leaves(lambda *leaves: torch.cat(leaves, dim=1), *(arm for arm, _ in arms))
    lengths = torch.cat([torch.full_like(arm.tokens, length) for arm, length in arms], dim=1)
    chosen = contenders(penalised(pool.scores, lengths, length_penalty), beam_size)
    pool, lengths = map_leaves(lambda leaf: leaf.gather(1, chosen), (pool, lengths))
    return best(
        _traced(trail, pool, lengths),
        lengths,
        pool.scores,
        ending.reached(pool.tokens),
        beam_size,
        length_penalty=length_penalty,
        padding=ending.padding,
    )


def _traced(trail: list[Extended], ends: Arm, lengths: Tensor) -> Tensor:
    """Go back from the last token of every hypothesis to its first: ``[B, W, L]``."""
    columns, parents = [], ends.parents
    for position in reversed(range(len(trail))):
        live = trail[position].live
        inside = lengths > position + 1
        last = torch.where(lengths == position + 1, ends.tokens, 0)
        columns.append(torch.where(inside, live.tokens.gather(1, parents), last))
        parents = torch.where(inside, live.parents.gather(1, parents), parents)
    return torch.stack(columns[::-1], dim=2)
