"""LRCN's captioner: two LSTMs, of which the upper one sees the picture at every word."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from unrolled.cells import LSTM, LSTMState
from unrolled.context import repeat_rows
from unrolled.models.captioner import Captioner, CaptionOutput, PooledMemory
from unrolled.shapes import check_shape


class LRCNCaptioner(Captioner[tuple[LSTMState, LSTMState]]):
    """Stack two LSTMs, one for the words and one for words and picture together.

        v = mean over l of features_l
        h1' = LSTM_1(E x, h1)           h2' = LSTM_2([h1'; v], h2)              factored
        h1' = LSTM_1([E x; v], h1)      h2' = LSTM_2(h1', h2)                   not factored
        logits = W_o h2' + b_o

    Shapes: x [B, T] int64 words, B = K·N; context PooledMemory(image [N, C]), v; state two
        LSTMState(h [B, D], c [B, D]); y CaptionOutput(logits [B, T, V]).
    Args:
        vocabulary_size: V.
        feature_size: C, the length of a feature.
        embedding_size: E, the length of a word's vector.
        hidden_size: D, of both.
        factored: the picture enters the upper LSTM, not the lower one.
    Raises:
        ContextError: no picture is bound, or B is not a multiple of its N.
        ShapeError: features have not C channels.
    Source: Donahue et al. 2015, arXiv:1411.4389, §5, LRCN_2f (and LRCN_2u). Differs: features of
        places are averaged here.
    Example:
        >>> model = LRCNCaptioner(11, 5, embedding_size=3, hidden_size=7)
        >>> picture = model.remember(torch.randn(2, 13, 5))
        >>> y, _ = model.given(picture)(torch.zeros(6, 4, dtype=torch.int64))
        >>> y.logits.shape
        torch.Size([6, 4, 11])
    """

    output_layer = "output"
    feed_image = "always"

    def __init__(
        self,
        vocabulary_size: int,
        feature_size: int,
        *,
        embedding_size: int = 1000,
        hidden_size: int = 1000,
        factored: bool = True,
    ) -> None:
        super().__init__(vocabulary_size, feature_size, embedding_size)
        self.factored = factored
        beside, above = (0, feature_size) if factored else (feature_size, 0)
        self.lower = LSTM(embedding_size + beside, hidden_size)
        self.upper = LSTM(hidden_size + above, hidden_size)
        self.output = nn.Linear(hidden_size, vocabulary_size)

    def remember(self, features: Float[Tensor, "N L C"]) -> PooledMemory:
        """Return the mean feature."""
        return PooledMemory(self.mean_feature(features))

    def initial_state(self, batch_size: int) -> tuple[LSTMState, LSTMState]:
        """Return zeros."""
        return self.lower.initial_state(batch_size), self.upper.initial_state(batch_size)

    def step(
        self, x_t: Int[Tensor, " B"], state: tuple[LSTMState, LSTMState]
    ) -> tuple[CaptionOutput, tuple[LSTMState, LSTMState]]:
        """Say the next word."""
        check_shape("x_t", x_t, "B")
        image, embedded = repeat_rows(self.context.image, len(x_t)), self.embedding(x_t)
        below = embedded if self.factored else torch.cat([embedded, image], dim=-1)
        h, lower = self.lower.step(below, state[0])
        h = torch.cat([h, image], dim=-1) if self.factored else h
        h, upper = self.upper.step(h, state[1])
        return CaptionOutput(self.output(h)), (lower, upper)

    def plain_scan(
        self, x: Int[Tensor, "B T"], state: tuple[LSTMState, LSTMState]
    ) -> tuple[CaptionOutput, tuple[LSTMState, LSTMState]]:
        """Say all words, the LSTMs natively and the scores in one product."""
        embedded = self.embedding(x)
        image = repeat_rows(self.context.image, len(x))[:, None].expand(-1, x.shape[1], -1)
        below = embedded if self.factored else torch.cat([embedded, image], dim=-1)
        h, lower = self.lower.scan(below, state[0])
        h = torch.cat([h, image], dim=-1) if self.factored else h
        h, upper = self.upper.scan(h, state[1])
        return CaptionOutput(self.output(h)), (lower, upper)
