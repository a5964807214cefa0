"""What a language model writes while it learns: the same prompt, step after step."""

from typing import Any

import torch
from torch import Tensor

from unrolled.decoding import sample
from unrolled.errors import NumericsError
from unrolled.recurrence import Recurrence
from unrolled.state import device_of
from unrolled.tasks.vocabulary import END_OF_LINE, Vocabulary
from unrolled.training.loop import Progress
from unrolled.training.modes import evaluating

_LENGTH = 80  # tokens of a sample
_PROMPT_LENGTH = 16  # tokens of a prompt at most


def is_sampled(progress: Progress) -> bool:
    """Say whether a sample is due: at steps 1, 50, 200, 800, 3200 ... and at the run's end."""
    if progress.loss is None:
        return progress.share >= 1 and progress.validation is not None
    due = 50
    while due < progress.step:
        due *= 4
    return progress.step in (1, due)


def choose_prompt(vocabulary: Vocabulary, tokens: Tensor) -> Tensor:
    """Return the beginning of the first whole line of a text, line end included, ``[P]``."""
    entries = [vocabulary.entries[token] for token in tokens[:10_000].tolist()]
    ends = [entry == END_OF_LINE or "\n" in entry for entry in entries]
    begin = next((place for place, end in enumerate(ends) if end), -1) + 1
    while begin < len(entries) and not entries[begin].strip(" \n").replace(END_OF_LINE, ""):
        begin += 1
    if begin == len(entries):  # there is only one line
        begin = 0
    stop = begin + 1
    while stop < min(len(entries), begin + _PROMPT_LENGTH) and not ends[stop - 1]:
        stop += 1
    return tokens[begin:stop]


def continuations(
    network: Recurrence[Any, Any, Any, Any],
    vocabulary: Vocabulary,
    prompt: Tensor,
    *,
    length: int = _LENGTH,
    count: int = 1,
) -> list[str]:
    """Write on from a prompt, drawing from all that the network expects; the draws are fixed.

    No random state but its own is touched, and the network is left in the mode that it had.

    Raises:
        NumericsError: the network's scores are not numbers.
    """
    generator = torch.Generator().manual_seed(0)
    with evaluating(network), torch.random.fork_rng(devices=[]):
        start = prompt[None].to(device_of(network))
        found = sample(network, start, max_length=length, num_samples=count, generator=generator)
    rows = zip(found.tokens[0], found.lengths[0].tolist(), strict=True)
    return [vocabulary.decode(tokens[:length]) for tokens, length in rows]


def observe_sample(
    network: Recurrence[Any, Any, Any, Any],
    vocabulary: Vocabulary,
    prompt: Tensor,
    progress: Progress,
) -> dict[str, Any]:
    """Return what to log of a step: where one is due, a sample."""
    if not is_sampled(progress):
        return {}
    try:
        (text,) = continuations(network, vocabulary, prompt)
    except NumericsError:  # it is for training to say so, and to skip or to stop
        return {}
    return {"sample": text}
