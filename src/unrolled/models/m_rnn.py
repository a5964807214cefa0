"""The multimodal RNN: picture, word and history meet in a layer behind the recurrence."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from unrolled.cells import RNN, RNNState
from unrolled.context import repeat_rows
from unrolled.models.captioner import Captioner, CaptionOutput, PooledMemory
from unrolled.shapes import check_shape


class MRNN(Captioner[RNNState]):
    """Keep the picture out of the recurrence, and add it to every word's multimodal layer.

        w = W_w E x + b_w                               the second of two layers of embedding
        r' = relu(w + U_r r + b_r)
        m = g(V_w w + V_r r' + V_I v + b_m)             g(a) = 1.7159 tanh(2 a / 3)
        logits = W_o m + b_o                            v = mean over l of features_l

    Shapes: x [B, T] int64 words, B = K·N; context PooledMemory(image [N, M]), V_I v + b_m; state
        RNNState(h [B, D]), r; y CaptionOutput(logits [B, T, V]).
    Args:
        vocabulary_size: V.
        feature_size: C, the length of a feature.
        embedding_size: E, of the first layer of embedding.
        hidden_size: D, of the second one and of the recurrence, which it is added to.
        multimodal_size: M.
    Raises:
        ContextError: no picture is bound, or B is not a multiple of its N.
        ShapeError: features have not C channels.
    Source: Mao et al. 2015, arXiv:1412.6632, eq. 2-4. Differs: biases; features of places are
        averaged here; the sizes are options.
    Example:
        >>> model = MRNN(11, 5, embedding_size=3, hidden_size=7, multimodal_size=2)
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
        embedding_size: int = 128,
        hidden_size: int = 256,
        multimodal_size: int = 512,
    ) -> None:
        super().__init__(vocabulary_size, feature_size, embedding_size)
        self.cell = RNN(embedding_size, hidden_size, nonlinearity="relu")
        self.from_word = nn.Linear(hidden_size, multimodal_size, bias=False)
        self.from_state = nn.Linear(hidden_size, multimodal_size, bias=False)
        self.image = nn.Linear(feature_size, multimodal_size)
        self.output = nn.Linear(multimodal_size, vocabulary_size)

    def remember(self, features: Float[Tensor, "N L C"]) -> PooledMemory:
        """Return what the picture adds to the multimodal layer."""
        return PooledMemory(self.image(self.mean_feature(features)))

    def initial_state(self, batch_size: int) -> RNNState:
        """Return zeros."""
        return self.cell.initial_state(batch_size)

    def step(self, x_t: Int[Tensor, " B"], state: RNNState) -> tuple[CaptionOutput, RNNState]:
        """Say the next word."""
        check_shape("x_t", x_t, "B")
        embedded = self.embedding(x_t)
        r, state = self.cell.step(embedded, state)
        image = repeat_rows(self.context.image, len(x_t))
        return self._say(embedded, r, image), state

    def plain_scan(self, x: Int[Tensor, "B T"], state: RNNState) -> tuple[CaptionOutput, RNNState]:
        """Say all words, the recurrence natively and everything behind it in one product."""
        embedded = self.embedding(x)
        r, state = self.cell.scan(embedded, state)
        image = repeat_rows(self.context.image, len(x))[:, None]
        return self._say(embedded, r, image), state

    def _say(self, embedded: Tensor, r: Tensor, image: Tensor) -> CaptionOutput:
        w = self.cell.project(embedded)  # with b_w; the cell's other bias is b_r
        m = self.from_word(w) + self.from_state(r) + image
        return CaptionOutput(self.output(1.7159 * torch.tanh(2 / 3 * m)))
