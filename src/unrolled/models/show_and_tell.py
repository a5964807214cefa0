"""Show and Tell: the picture is the first thing that a language model reads."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from unrolled.cells import LSTM, LSTMState
from unrolled.context import repeat_rows
from unrolled.models.captioner import Captioner, CaptionOutput, PooledMemory


class ShowAndTell(Captioner[LSTMState]):
    """Read the picture as if it were a word, once, before the first word.

        v = mean over l of features_l
        h_0, c_0 = LSTM(W_I v + b_I, 0, 0)              the picture enters here and nowhere else
        h_t, c_t = LSTM(E x_t, h_{t-1}, c_{t-1})
        logits_t = W_o h_t + b_o

    Bind a picture before a call: ``model.given(model.remember(features))``.

    Shapes: x [B, T] int64 words, B = K·N; context PooledMemory(image [N, E]); state
        LSTMState(h [B, D], c [B, D]); y CaptionOutput(logits [B, T, V]).
    Args:
        vocabulary_size: V.
        feature_size: C, the length of a feature.
        embedding_size: E, the length of a word's vector and of the picture's.
        hidden_size: D.
    Raises:
        ContextError: no picture is bound, or B is not a multiple of its N.
        ShapeError: features have not C channels.
    Source: Vinyals et al. 2015, arXiv:1411.4555, eq. 4-12. Differs: the LSTM is
        ``unrolled.cells.LSTM``, with biases and tanh(c); features of places are averaged here.
    Example:
        >>> import torch
        >>> model = ShowAndTell(11, 5, embedding_size=3, hidden_size=7)
        >>> picture = model.remember(torch.randn(2, 13, 5))
        >>> y, _ = model.given(picture)(torch.zeros(6, 4, dtype=torch.int64))
        >>> y.logits.shape
        torch.Size([6, 4, 11])
    """

    output_layer = "output"

    def __init__(
        self,
        vocabulary_size: int,
        feature_size: int,
        *,
        embedding_size: int = 512,
        hidden_size: int = 512,
    ) -> None:
        super().__init__(vocabulary_size, feature_size, embedding_size)
        self.image = nn.Linear(feature_size, embedding_size)
        self.cell = LSTM(embedding_size, hidden_size)
        self.output = nn.Linear(hidden_size, vocabulary_size)

    def remember(self, features: Float[Tensor, "N L C"]) -> PooledMemory:
        """Return what the picture is to the LSTM: a vector like a word's."""
        return PooledMemory(self.image(self.mean_feature(features)))

    def initial_state(self, batch_size: int) -> LSTMState:
        """Return the state after the picture was read."""
        image = self.context.image
        _, state = self.cell.step(image, self.cell.initial_state(len(image)))
        return LSTMState(*(repeat_rows(leaf, batch_size) for leaf in state))

    def step(self, x_t: Int[Tensor, " B"], state: LSTMState) -> tuple[CaptionOutput, LSTMState]:
        """Say the next word."""
        h, state = self.cell.step(self.embedding(x_t), state)
        return CaptionOutput(self.output(h)), state

    def plain_scan(
        self, x: Int[Tensor, "B T"], state: LSTMState
    ) -> tuple[CaptionOutput, LSTMState]:
        """Say all words, the LSTM natively and the scores in one product."""
        h, state = self.cell.scan(self.embedding(x), state)
        return CaptionOutput(self.output(h)), state
