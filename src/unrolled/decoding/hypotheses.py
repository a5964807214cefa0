"""What every decoder returns."""

from typing import NamedTuple

from jaxtyping import Bool, Float, Int64
from torch import Tensor


class Hypotheses(NamedTuple):
    """K continuations of each of B prompts.

    Shapes: L is the longest continuation; tokens past a hypothesis's length are the stop token.
    """

    tokens: Int64[Tensor, "B K L"]  # the prompt left out, a stop token that was reached included
    lengths: Int64[Tensor, "B K"]  # tokens of each hypothesis, its stop token among them
    log_probabilities: Float[Tensor, "B K"]  # of all these tokens, given the prompt
    finished: Bool[Tensor, "B K"]  # whether the stop token was reached
