"""Layers: recurrences over whole chunks, and the combinators that join them."""

from unrolled.layers.causal_conv import CausalConv1d, CausalConvState
from unrolled.layers.causal_self_attention import CausalSelfAttention, RingState
from unrolled.layers.dropout import Dropout, DropoutState
from unrolled.layers.embedding import Embedding
from unrolled.layers.linear import Linear
from unrolled.layers.serial import Serial

__all__ = [
    "CausalConv1d",
    "CausalConvState",
    "CausalSelfAttention",
    "Dropout",
    "DropoutState",
    "Embedding",
    "Linear",
    "RingState",
    "Serial",
]
