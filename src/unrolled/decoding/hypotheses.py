"""What every decoder returns."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor


class Hypotheses(NamedTuple):
    """K continuations of each of B prompts.

    Where fewer than K continuations are possible, the last ones are none: no tokens (length 0),
    not finished, and the log-probability -inf.

    Shapes: L is the longest continuation; tokens past a hypothesis's length are its padding, the
        smallest stop token (0 without one).
    """

    tokens: Int64[Tensor, "B K L"]  # the prompt left out, a stop token that was reached included
    lengths: Int64[Tensor, "B K"]  # tokens of each hypothesis, its stop token among them
    log_probabilities: Float[Tensor, "B K"]  # of all these tokens, given the prompt
    finished: Bool[Tensor, "B K"]  # whether a stop token was reached


def padded(
    tokens: Tensor, lengths: Tensor, log_probabilities: Tensor, finished: Tensor, *, padding: int
) -> Hypotheses:
    """Blank what lies past a length, cut to the longest, and unmake what is impossible."""
    possible = log_probabilities > -torch.inf
    lengths = lengths.where(possible, 0)
    longest = int(lengths.max()) if lengths.numel() else 0
    past = torch.arange(longest, device=lengths.device) >= lengths[..., None]
    tokens = tokens[..., :longest].masked_fill(past, padding)
    return Hypotheses(tokens, lengths, log_probabilities, finished & possible)
