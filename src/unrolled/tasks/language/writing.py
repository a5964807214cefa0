"""What a language model writes: drawn token by token, or searched for."""

from collections.abc import Iterator

import torch
from torch import Tensor

from unrolled.decoding import beam_search, sampled_tokens
from unrolled.errors import ConfigError
from unrolled.state import device_of
from unrolled.tasks.language.model import LanguageModel
from unrolled.tasks.vocabulary import Vocabulary


def written(
    model: LanguageModel,
    prompt: str | None = None,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    seed: int | None = None,
) -> Iterator[str]:
    """Write on from a prompt, without end: what each token adds, "" in mid-character.

    The network is used as it is, in eval() or in train().

    Args:
        model: a trained model.
        prompt: text that the model can read; None is a line end, or the model's first entry.
        temperature: divides the logits.
        top_k: draw among so many of the likeliest tokens.
        top_p: draw among the likeliest tokens that together have this probability.
        seed: of the draws; None draws anew every time.
    """
    if prompt is not None and not prompt:
        raise ConfigError("a prompt of at least one character", "an empty one", "leave it out")
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    tokens = _prompt(model, prompt)
    draws = sampled_tokens(
        model.network,
        tokens,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        generator=generator,
    )
    yield from model.vocabulary.pieces(int(drawn) for drawn, _ in draws)


def searched(
    model: LanguageModel, prompt: str | None = None, *, length: int, beam_size: int = 1
) -> str:
    """Return the likeliest continuation that a beam finds; a beam of 1 is greedy."""
    tokens = _prompt(model, prompt)
    found = beam_search(model.network, tokens, max_length=length, beam_size=beam_size)
    best = found.tokens[0, 0, : int(found.lengths[0, 0])]
    return "".join(model.vocabulary.pieces(best.tolist()))


def prompt_tokens(vocabulary: Vocabulary, prompt: str | None) -> Tensor:
    """Return the tokens of a prompt; of none, those of a line end or of the first entry."""
    if prompt is None:
        line_end = vocabulary.level != "char" or "\n" in vocabulary.entries
        prompt = "\n" if line_end else vocabulary.entries[0]
    return vocabulary.encode(prompt, what="the prompt")


def _prompt(model: LanguageModel, prompt: str | None) -> Tensor:
    """Return the tokens of a prompt ``[1, P]``, where the network is."""
    return prompt_tokens(model.vocabulary, prompt)[None].to(device_of(model.network))
