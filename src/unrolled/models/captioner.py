"""What all captioners share: a picture is bound, words go in, scores of the next word come out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, cast

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import TypeVar

from unrolled.recurrence import Recurrence
from unrolled.shapes import check_shape
from unrolled.state import Tree


class PooledMemory(NamedTuple):
    """What is remembered of a whole picture: one vector, as long as its model needs it."""

    image: Float[Tensor, "N E"]


class CaptionOutput(NamedTuple):
    """What a captioner says of the next word."""

    logits: Float[Tensor, "*BT V"]


@dataclass(frozen=True)
class Objective:
    """What training lowers.

    Args:
        loss: a scalar to go back from.
        terms: what it is made of, and what else is worth a curve, each without a graph;
            ``nats_per_word`` is always among them.
    """

    loss: Tensor
    terms: dict[str, Tensor]


StateT = TypeVar("StateT", bound=Tree, default=Any)
OutputT = TypeVar("OutputT", bound=Tree, default=CaptionOutput)
ContextT = TypeVar("ContextT", bound=Tree, default=PooledMemory)


class Captioner(Recurrence[StateT, Tensor, OutputT, ContextT], ABC):
    """A recurrence over words with a picture, or a film, for its context.

        y, _ = decoder.given(decoder.remember(features))(words)      words[:, 0] is <start>
        loss = decoder.objective(y, targets, valid).loss             targets[:, t] is words[:, t+1]

    Args:
        vocabulary_size: V.
        feature_size: C, the length of a feature.
        embedding_size: E, the length of a word's vector.

    Attributes:
        films: it takes the frames of a film for its features, in their order, one vector each.
        feed_image: when the picture enters: "once", before or with the first word, or "always", at
            every word.
        feature_size: C, the length of a feature.
    """

    context_type: ClassVar[type[Any] | None] = PooledMemory
    films: ClassVar[bool] = False
    feed_image: str = "once"

    def __init__(self, vocabulary_size: int, feature_size: int, embedding_size: int) -> None:
        super().__init__()
        self.feature_size = feature_size
        self.embedding = nn.Embedding(vocabulary_size, embedding_size)

    @abstractmethod
    def remember(self, features: Float[Tensor, "N L C"]) -> ContextT:
        """Make a context of ``features [N, L, C]``: of L places of a picture, or of L frames."""

    def objective(
        self, y: OutputT, targets: Int[Tensor, "B T"], valid: Bool[Tensor, "B T"]
    ) -> Objective:
        """Return the mean cross-entropy of the ``targets`` where ``valid``, in nats a word.

        A model whose paper has further terms adds them.
        """
        loss = cross_entropy(cast(CaptionOutput, y).logits, targets, valid)
        return Objective(loss, {"nats_per_word": loss.detach()})

    def mean_feature(self, features: Float[Tensor, "N L C"]) -> Float[Tensor, "N C"]:
        """Return the mean over places, or frames; a feature of another length is refused."""
        self.check_features(features)
        return features.mean(dim=1)

    def check_features(self, features: Tensor) -> None:
        """Raise ``ShapeError`` unless ``features`` are ``[N, L, feature_size]``."""
        check_shape("features", features, "N L C", C=self.feature_size)


def cross_entropy(
    logits: Float[Tensor, "B T V"], targets: Int[Tensor, "B T"], valid: Bool[Tensor, "B T"]
) -> Tensor:
    """Return the mean over valid words of -log softmax(logits)[target]."""
    ignored = -100  # torch's own sign for a target that does not count
    chosen = targets.masked_fill(~valid, ignored)
    return F.cross_entropy(logits.flatten(0, 1), chosen.flatten(), ignore_index=ignored)
