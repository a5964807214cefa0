"""Mind's Eye: a captioner that also imagines the picture from the words said so far."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from unrolled.cells import RNN, RNNState
from unrolled.context import repeat_rows
from unrolled.models.captioner import Captioner, Objective, cross_entropy
from unrolled.shapes import check_shape
from unrolled.state import map_leaves


class MindsEyeMemory(NamedTuple):
    """The picture's mean feature, and what it is to the language's RNN."""

    image: Float[Tensor, "N C"]
    seen: Float[Tensor, "N D"]


class MindsEyeState(NamedTuple):
    """What is carried: of the language, and of the picture as the words give it."""

    s: Float[Tensor, "B D"]
    u: Float[Tensor, "B D"]


class MindsEyeOutput(NamedTuple):
    """What is said, what is imagined, and what there was to see."""

    logits: Float[Tensor, "*BT V"]
    reconstruction: Float[Tensor, "*BT C"]
    image: Float[Tensor, "*BT C"]


class MindsEye(Captioner[MindsEyeState, MindsEyeOutput, MindsEyeMemory]):
    """Map both ways: from the picture to words, and from the words so far to the picture.

        s' = f(W_sw E x + b + W_ss s + b_s + W_sv v)           language; sees the picture
        u' = f(W_uw E x + b + W_uu u + b_u)                    visual memory; sees words alone
        reconstruction = W_vu u' + b_v                         of v = mean over l of features_l
        logits = W_w [s'; u'] + b_w

    ``objective`` adds how far the picture is from what the words make of it.

    Shapes: x [B, T] int64 words, B = K·N; context MindsEyeMemory(image [N, C], seen [N, D]), v
        and W_sv v; state MindsEyeState(s [B, D], u [B, D]); y MindsEyeOutput(logits [B, T, V],
        reconstruction [B, T, C], image [B, T, C]).
    Args:
        vocabulary_size: V.
        feature_size: C, the length of a feature.
        embedding_size: E, the length of a word's vector.
        hidden_size: D, of s and of u.
        nonlinearity: f: "tanh", or "relu".
        reconstruction: the weight of the second term.
    Raises:
        ConfigError: an unknown ``nonlinearity``.
        ContextError: no picture is bound, or B is not a multiple of its N.
        ShapeError: features have not C channels.
    Source: Chen & Zitnick 2015, arXiv:1411.5654; its authors published no code. Differs: scores
        of all words are one layer, without classes of words and n-gram features; s sees the picture
        with all of its units; the picture is no target that moves: in the second term v has no
        gradient, or an encoder that learns would make pictures alike.
    Example:
        >>> model = MindsEye(11, 5, embedding_size=3, hidden_size=7)
        >>> picture = model.remember(torch.randn(2, 13, 5))
        >>> y, _ = model.given(picture)(torch.zeros(6, 4, dtype=torch.int64))
        >>> y.logits.shape, y.reconstruction.shape
        (torch.Size([6, 4, 11]), torch.Size([6, 4, 5]))
    """

    context_type = MindsEyeMemory
    output_layer = "output"
    feed_image = "always"

    def __init__(
        self,
        vocabulary_size: int,
        feature_size: int,
        *,
        embedding_size: int = 512,
        hidden_size: int = 512,
        nonlinearity: str = "tanh",
        reconstruction: float = 1.0,
    ) -> None:
        super().__init__(vocabulary_size, feature_size, embedding_size)
        self.reconstruction = reconstruction
        self.language = RNN(embedding_size, hidden_size, nonlinearity=nonlinearity)
        self.visual = RNN(embedding_size, hidden_size, nonlinearity=nonlinearity)
        self.image = nn.Linear(feature_size, hidden_size, bias=False)
        self.imagined = nn.Linear(hidden_size, feature_size)
        self.output = nn.Linear(2 * hidden_size, vocabulary_size)

    def remember(self, features: Float[Tensor, "N L C"]) -> MindsEyeMemory:
        """Return the mean feature, and W_sv of it."""
        image = self.mean_feature(features)
        return MindsEyeMemory(image, self.image(image))

    def initial_state(self, batch_size: int) -> MindsEyeState:
        """Return zeros."""
        return MindsEyeState(
            self.language.initial_state(batch_size).h, self.visual.initial_state(batch_size).h
        )

    def step(
        self, x_t: Int[Tensor, " B"], state: MindsEyeState
    ) -> tuple[MindsEyeOutput, MindsEyeState]:
        """Say the next word, and imagine the picture."""
        check_shape("x_t", x_t, "B")
        embedded = self.embedding(x_t)
        image, seen = map_leaves(lambda leaf: repeat_rows(leaf, len(x_t)), self.context)
        product_x = self.language.project(embedded) + seen
        s, language = self.language.advance(product_x, RNNState(state.s))
        u, visual = self.visual.step(embedded, RNNState(state.u))
        return self._say(s.to(u.dtype), u, image), MindsEyeState(language.h, visual.h)

    def plain_scan(
        self, x: Int[Tensor, "B T"], state: MindsEyeState
    ) -> tuple[MindsEyeOutput, MindsEyeState]:
        """Say all words, the visual memory natively and what is said of both in one product."""
        embedded = self.embedding(x)
        image, seen = map_leaves(lambda leaf: repeat_rows(leaf, len(x))[:, None], self.context)
        outputs, language = [], RNNState(state.s)
        for product_x in (self.language.project(embedded) + seen).unbind(1):
            s, language = self.language.advance(product_x, language)
            outputs.append(s)
        u, visual = self.visual.scan(embedded, RNNState(state.u))
        y = self._say(torch.stack(outputs, dim=1).to(u.dtype), u, image)
        return y, MindsEyeState(language.h, visual.h)

    def _say(self, s: Tensor, u: Tensor, image: Tensor) -> MindsEyeOutput:
        imagined = self.imagined(u)
        logits = self.output(torch.cat([s, u], dim=-1))
        return MindsEyeOutput(logits, imagined, image.expand_as(imagined))

    def objective(
        self, y: MindsEyeOutput, targets: Int[Tensor, "B T"], valid: Bool[Tensor, "B T"]
    ) -> Objective:
        """Return nats a word + weight times the mean square of (v - reconstruction), every word."""
        nats = cross_entropy(y.logits, targets, valid)
        errors = (y.image.detach() - y.reconstruction).square().mean(dim=-1)  # [B, T]
        error = errors.where(valid, 0).sum() / valid.sum()
        terms = {"nats_per_word": nats.detach(), "reconstruction_error": error.detach()}
        return Objective(nats + self.reconstruction * error, terms)
