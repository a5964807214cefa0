"""Sequence to sequence, video to text: one stack of LSTMs reads a film, then describes it."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from unrolled.cells import LSTM, LSTMState
from unrolled.context import repeat_rows
from unrolled.models.captioner import Captioner, CaptionOutput
from unrolled.shapes import check_shape
from unrolled.state import map_leaves, state_dtype


class S2VTState(NamedTuple):
    """The states of the two LSTMs; those after the last frame are the context."""

    lower: LSTMState  # reads frames
    upper: LSTMState  # reads words, and what the lower one gives


class S2VT(Captioner[S2VTState, CaptionOutput, S2VTState]):
    """Read the frames, then the words, with the same two LSTMs; 0 stands where there is neither.

        reading     h1' = LSTM_1(W_f frame + b_f, h1)      h2' = LSTM_2([0; h1'], h2)
        describing  h1' = LSTM_1(0, h1)                    h2' = LSTM_2([E x; h1'], h2)
        logits = W_o h2' + b_o

    ``remember`` is the reading: it runs once over all frames, and the states that it ends in are
    the context. ``initial_state`` is a copy of them, and ``step`` describes.

    Shapes: x [B, T] int64 words, B = K·N; context and state S2VTState(lower, upper), each
        LSTMState(h [B, D], c [B, D]); y CaptionOutput(logits [B, T, V]).
    Args:
        vocabulary_size: V.
        feature_size: C, the length of a frame's features.
        embedding_size: E, the length of a word's vector and of a frame's.
        hidden_size: D, of both.
    Raises:
        ContextError: no film is bound, or B is not a multiple of its N.
        ShapeError: features have not C channels.
    Source: Venugopalan et al. 2015, arXiv:1505.00487, §3. Differs: nothing; frames of optical flow
        are features like others.
    Example:
        >>> model = S2VT(11, 5, embedding_size=3, hidden_size=7)
        >>> film = model.remember(torch.randn(2, 13, 5))
        >>> y, _ = model.given(film)(torch.zeros(6, 4, dtype=torch.int64))
        >>> y.logits.shape
        torch.Size([6, 4, 11])
    """

    context_type = S2VTState
    output_layer = "output"
    films = True

    def __init__(
        self,
        vocabulary_size: int,
        feature_size: int,
        *,
        embedding_size: int = 500,
        hidden_size: int = 1000,
    ) -> None:
        super().__init__(vocabulary_size, feature_size, embedding_size)
        self.embedding_size = embedding_size
        self.frame = nn.Linear(feature_size, embedding_size)
        self.lower = LSTM(embedding_size, hidden_size)
        self.upper = LSTM(embedding_size + hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, vocabulary_size)

    def remember(self, features: Float[Tensor, "N L C"]) -> S2VTState:
        """Read the frames, in their order."""
        self.check_features(features)
        frames = self.frame(features)
        h, lower = self.lower.scan(frames, self.lower.initial_state(len(frames)))
        no_words = torch.cat([torch.zeros_like(frames), h], dim=-1)
        _, upper = self.upper.scan(no_words, self.upper.initial_state(len(frames)))
        return S2VTState(lower, upper)

    def initial_state(self, batch_size: int) -> S2VTState:
        """Return the states after the last frame."""
        return map_leaves(
            lambda leaf: repeat_rows(leaf, batch_size).to(state_dtype(leaf.dtype)), self.context
        )

    def step(self, x_t: Int[Tensor, " B"], state: S2VTState) -> tuple[CaptionOutput, S2VTState]:
        """Say the next word."""
        check_shape("x_t", x_t, "B")
        embedded = self.embedding(x_t)
        h, lower = self.lower.step(torch.zeros_like(embedded), state.lower)
        h, upper = self.upper.step(torch.cat([embedded, h], dim=-1), state.upper)
        return CaptionOutput(self.output(h)), S2VTState(lower, upper)

    def plain_scan(
        self, x: Int[Tensor, "B T"], state: S2VTState
    ) -> tuple[CaptionOutput, S2VTState]:
        """Say all words, the LSTMs natively and the scores in one product."""
        embedded = self.embedding(x)
        h, lower = self.lower.scan(torch.zeros_like(embedded), state.lower)
        h, upper = self.upper.scan(torch.cat([embedded, h], dim=-1), state.upper)
        return CaptionOutput(self.output(h)), S2VTState(lower, upper)
