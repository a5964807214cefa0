"""Layers: recurrences over whole chunks, and the combinators that join them."""

from unrolled.layers.batch_norm import BatchNorm
from unrolled.layers.bidirectional import Bidirectional
from unrolled.layers.causal_conv import CausalConv1d, CausalConvState
from unrolled.layers.causal_conv3d import CausalConv3d, CausalConv3dState
from unrolled.layers.causal_pool import CausalMaxPool, CausalMeanPool, CausalPoolState
from unrolled.layers.causal_self_attention import CausalSelfAttention, RingState
from unrolled.layers.dropout import Dropout, DropoutState
from unrolled.layers.embedding import Embedding
from unrolled.layers.last import Last
from unrolled.layers.layer_norm import LayerNorm
from unrolled.layers.linear import Linear
from unrolled.layers.per_clip import PerClip
from unrolled.layers.per_frame import PerFrame
from unrolled.layers.residual import Residual, ResidualState
from unrolled.layers.running_mean import RunningMean, RunningMeanState
from unrolled.layers.serial import Serial
from unrolled.layers.squeeze_excitation import SqueezeExcitation

__all__ = [
    "BatchNorm",
    "Bidirectional",
    "CausalConv1d",
    "CausalConv3d",
    "CausalConv3dState",
    "CausalConvState",
    "CausalMaxPool",
    "CausalMeanPool",
    "CausalPoolState",
    "CausalSelfAttention",
    "Dropout",
    "DropoutState",
    "Embedding",
    "Last",
    "LayerNorm",
    "Linear",
    "PerClip",
    "PerFrame",
    "Residual",
    "ResidualState",
    "RingState",
    "RunningMean",
    "RunningMeanState",
    "Serial",
    "SqueezeExcitation",
]
