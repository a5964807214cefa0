"""Temporal attention: a captioner that looks at other frames of a film for every word."""

import torch
from torch import Tensor, nn

from unrolled.models._attending import _SoftAttending


class TemporalAttention(_SoftAttending):
    """Decode words from the frames of a film with soft attention over time.

        weights = softmax_l(w . tanh(keys_l + W_h h + b))          keys_l = W_a frame_l
        z = sum over l of weights_l frame_l
        h', c' = LSTM([E x; z], h, c)
        logits = W_o tanh(W_p [h'; z; E x] + b_p) + b_o
        h_0 = tanh(W_init_h mean_l(frame_l) + b_init_h)            c_0 likewise

    Shapes: x [B, T] int64 words, B = K·N; context Memory(features [N, L, C], keys [N, L, A]) of
        L frames; state LSTMState(h [B, D], c [B, D]); y AttentionOutput(logits [B, T, V],
        weights [B, T, L]).
    Args:
        vocabulary_size: V.
        feature_size: C, the length of a frame's features.
        embedding_size: E, the length of a word's vector and of the layer before the scores.
        hidden_size: D.
        attention_size: A, the hidden layer of the attention.
    Raises:
        ContextError: no film is bound, or B is not a multiple of its N.
        ShapeError: features have not C channels.
    Source: Yao et al. 2015, arXiv:1502.08029, §3 and §4.2. Differs: no 3D features; the state
        begins as in Xu et al. 2015.
    Example:
        >>> model = TemporalAttention(11, 5, embedding_size=3, hidden_size=7, attention_size=2)
        >>> film = model.remember(torch.randn(2, 13, 5))
        >>> y, _ = model.given(film)(torch.zeros(6, 4, dtype=torch.int64))
        >>> y.logits.shape, y.weights.shape
        (torch.Size([6, 4, 11]), torch.Size([6, 4, 13]))
    """

    films = True

    def __init__(
        self,
        vocabulary_size: int,
        feature_size: int,
        *,
        embedding_size: int = 512,
        hidden_size: int = 512,
        attention_size: int = 512,
    ) -> None:
        super().__init__(vocabulary_size, feature_size, embedding_size, hidden_size, attention_size)
        self.projection = nn.Linear(hidden_size + feature_size + embedding_size, embedding_size)
        self.output = nn.Linear(embedding_size, vocabulary_size)

    def say(self, embedded: Tensor, h: Tensor, z: Tensor) -> Tensor:
        """Return logits."""
        hidden = torch.tanh(self.projection(torch.cat([h, z, embedded], dim=-1)))
        logits: Tensor = self.output(hidden)
        return logits
