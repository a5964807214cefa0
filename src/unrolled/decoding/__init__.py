"""Decoding: ways to drive a recurrence by its own output."""

from unrolled.decoding.argmax import greedy
from unrolled.decoding.beam import beam_search
from unrolled.decoding.exhaustive import exhaustive_search
from unrolled.decoding.hypotheses import Hypotheses
from unrolled.decoding.sampling import sample, sampled_tokens

__all__ = [
    "Hypotheses",
    "beam_search",
    "exhaustive_search",
    "greedy",
    "sample",
    "sampled_tokens",
]
