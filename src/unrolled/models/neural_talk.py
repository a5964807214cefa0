"""Karpathy & Fei-Fei's captioner: a plain RNN that the picture starts."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

from unrolled.cells import RNN, RNNState
from unrolled.context import repeat_rows
from unrolled.errors import ConfigError
from unrolled.models.captioner import Captioner, CaptionOutput, PooledMemory
from unrolled.shapes import check_shape


class NeuralTalkState(NamedTuple):
    """What is carried: the hidden state, and whether the first word is still to come."""

    h: Float[Tensor, "B D"]
    step: Int64[Tensor, " B"]


class NeuralTalk(Captioner[NeuralTalkState]):
    """Add the picture to what a plain RNN sums up at its first word, or at every word.

        v = mean over l of features_l
        h' = f(W_xh E x + b_xh + W_hh h + b_hh + [t = 0] (W_ih v + b_ih))
        logits = W_ho h' + b_o

    Shapes: x [B, T] int64 words, B = K·N; context PooledMemory(image [N, D]); state
        NeuralTalkState(h [B, D], step [B]); y CaptionOutput(logits [B, T, V]).
    Args:
        vocabulary_size: V.
        feature_size: C, the length of a feature.
        embedding_size: E, the length of a word's vector.
        hidden_size: D.
        feed_image: "once", at t = 0, as in the paper; or "always", at every t.
        nonlinearity: f: "relu", or "tanh".
    Raises:
        ConfigError: an unknown ``feed_image`` or ``nonlinearity``.
        ContextError: no picture is bound, or B is not a multiple of its N.
        ShapeError: features have not C channels.
    Source: Karpathy & Fei-Fei 2015, arXiv:1412.2306, eq. 13-15; their code has ReLU for f and an
        option for feeding once. Differs: features of places are averaged here; W_hh has a bias of
        its own, as ``unrolled.cells.RNN`` has.
    Example:
        >>> model = NeuralTalk(11, 5, embedding_size=3, hidden_size=7)
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
        feed_image: str = "once",
        nonlinearity: str = "relu",
    ) -> None:
        if feed_image not in ("once", "always"):
            raise ConfigError("feed_image of once or always", repr(feed_image))
        super().__init__(vocabulary_size, feature_size, embedding_size)
        self.feed_image = feed_image
        self.image = nn.Linear(feature_size, hidden_size)
        self.cell = RNN(embedding_size, hidden_size, nonlinearity=nonlinearity)
        self.output = nn.Linear(hidden_size, vocabulary_size)

    def remember(self, features: Float[Tensor, "N L C"]) -> PooledMemory:
        """Return what the picture adds to the hidden state's sum."""
        return PooledMemory(self.image(self.mean_feature(features)))

    def initial_state(self, batch_size: int) -> NeuralTalkState:
        """Return zeros; the picture comes in with the first word."""
        h = self.cell.initial_state(batch_size).h
        return NeuralTalkState(h, torch.zeros(batch_size, dtype=torch.int64, device=h.device))

    def step(
        self, x_t: Int[Tensor, " B"], state: NeuralTalkState
    ) -> tuple[CaptionOutput, NeuralTalkState]:
        """Say the next word."""
        check_shape("x_t", x_t, "B")
        y, state = self.plain_scan(x_t[:, None], state)
        return CaptionOutput(y.logits[:, 0]), state

    def plain_scan(
        self, x: Int[Tensor, "B T"], state: NeuralTalkState
    ) -> tuple[CaptionOutput, NeuralTalkState]:
        """Say all words, the scores in one product."""
        num_steps = x.shape[1]
        image = repeat_rows(self.context.image, len(x))[:, None]
        if self.feed_image == "once":
            steps = state.step[:, None] + torch.arange(num_steps, device=x.device)
            image = image.where((steps == 0)[..., None], 0)
        projected = self.cell.project(self.embedding(x)) + image
        outputs, carried = [], RNNState(state.h)
        for product_x in projected.unbind(1):
            h, carried = self.cell.advance(product_x, carried)
            outputs.append(h)
        said = self.output(torch.stack(outputs, dim=1).to(projected.dtype))
        return CaptionOutput(said), NeuralTalkState(carried.h, state.step + num_steps)
