"""The transformer that looks back only, over a window that streams."""

from typing import Any

from torch import nn

from unrolled.errors import ConfigError
from unrolled.layers import (
    CausalSelfAttention,
    Dropout,
    Embedding,
    LayerNorm,
    Linear,
    PerFrame,
    Residual,
    Serial,
)
from unrolled.recurrence import Recurrence

Layers = list[Recurrence[Any, Any, Any, Any]]


class CausalTransformerLanguageModel(Serial):
    """Predict the next token with attention over the last steps: embedding, blocks, scores.

        x = x + dropout(attention(norm(x)))                            num_layers times
        x = x + dropout(W_2 GELU(W_1 norm(x) + b_1) + b_2)             W_1 x has 4 * embed_dim
        logits = W norm(x) + b

    No position is added to x: the attention learns one bias for every lag and head, so that a text
    of any length streams through `window` keys and values a layer. Stacked, the layers see
    num_layers * (window - 1) + 1 steps.

    Shapes: x [B, T] int64 tokens; state one state a layer; y [B, T, V] logits.
    Args:
        vocabulary_size: V.
        embed_dim: length of a token's vector, a multiple of num_heads.
        num_heads: how many attend side by side.
        num_layers: how many blocks.
        window: how many steps each layer sees, the present one among them.
        dropout: share that training drops from the embedding and from what a block adds.
    Raises:
        ConfigError: embed_dim is not a multiple of num_heads, or a size is below 1.
    Source: Vaswani et al. 2017, arXiv:1706.03762, §3, the decoder's half without its memory;
        normalisation before each part and once at the end: Xiong et al. 2020, arXiv:2002.04745,
        Fig. 1b; GELU: Hendrycks & Gimpel 2016, arXiv:1606.08415. Differs: positions, as said above.
    Example:
        >>> import torch
        >>> model = CausalTransformerLanguageModel(11, embed_dim=6, num_heads=2, window=3)
        >>> y, _ = model(torch.zeros(2, 7, dtype=torch.int64))
        >>> y.shape, model.receptive_field
        (torch.Size([2, 7, 11]), 5)
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        embed_dim: int = 128,
        num_heads: int = 4,
        num_layers: int = 2,
        window: int = 64,
        dropout: float = 0.0,
    ) -> None:
        if num_layers < 1:
            raise ConfigError("num_layers of at least 1", str(num_layers))
        blocks: Layers = []
        for _ in range(num_layers):
            attention = CausalSelfAttention(embed_dim, num_heads, window=window)
            blocks += [_block(embed_dim, [attention], dropout)]
            blocks += [_block(embed_dim, _feed_forward(embed_dim), dropout)]
        super().__init__(
            Embedding(vocabulary_size, embed_dim),
            *_dropouts(dropout),
            *blocks,
            LayerNorm(embed_dim),
            Linear(embed_dim, vocabulary_size),
        )
        #: how many tokens, the present one among them, a prediction depends on
        self.receptive_field = num_layers * (window - 1) + 1


def _block(size: int, layers: Layers, dropout: float) -> Residual:
    return Residual(Serial(LayerNorm(size), *layers, *_dropouts(dropout)))


def _feed_forward(size: int) -> Layers:
    return [Linear(size, 4 * size), PerFrame(nn.GELU()), Linear(4 * size, size)]


def _dropouts(share: float) -> Layers:
    return [Dropout(share)] if share > 0 else []
