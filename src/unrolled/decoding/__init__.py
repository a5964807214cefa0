"""Decoding: ways to drive a recurrence by its own output."""

from unrolled.decoding.hypotheses import Hypotheses
from unrolled.decoding.sampling import sample, sampled_tokens

__all__ = ["Hypotheses", "sample", "sampled_tokens"]
