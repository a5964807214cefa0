"""The bigram model: counting, and the baseline of everything that learns."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence
from unrolled.shapes import check_shape

_LARGEST = 4096


class BigramLanguageModel(Recurrence[tuple[()]]):
    """Predict the next token from the last alone, by how often it followed.

        p(b | a) = (count(a b) + smoothing) / (count(a) + smoothing V)
        y = log p(. | x)

    Shapes: x [B, T] int64 tokens; state (); y [B, T, V].
    Args:
        vocabulary_size: V.
        smoothing: added to every count, so that nothing is impossible.
    Raises:
        ConfigError: more than 4,096 tokens, whose table of pairs would not be small.
        ShapeError: x is not [B, T].
    Source: Shannon 1948, the second-order approximation; add-k smoothing: Laplace.
    Example:
        >>> model = BigramLanguageModel(2, smoothing=0.5)
        >>> model.count(torch.tensor([0, 1, 0, 1, 1]))
        >>> model(torch.tensor([[0]]))[0].exp()
        tensor([[[0.1667, 0.8333]]])
    """

    counts: Tensor

    def __init__(self, vocabulary_size: int, *, smoothing: float = 0.1) -> None:
        super().__init__()
        if vocabulary_size > _LARGEST:
            raise ConfigError(
                f"at most {_LARGEST} tokens for a table of pairs", str(vocabulary_size)
            )
        self.smoothing = smoothing
        self.register_buffer("counts", torch.zeros(vocabulary_size, vocabulary_size))

    def count(self, tokens: Int[Tensor, " T"]) -> None:
        """Add the pairs of a text to the counts."""
        size = len(self.counts)
        pairs = (tokens[:-1] * size + tokens[1:]).bincount(minlength=size * size)
        self.counts += pairs.view(size, size)

    def scan(
        self, x: Int[Tensor, "B T"], state: tuple[()]
    ) -> tuple[Float[Tensor, "B T V"], tuple[()]]:
        """Look the last tokens up."""
        check_shape("x", x, "B T")
        smoothed = self.counts[x] + self.smoothing
        return (smoothed / smoothed.sum(dim=-1, keepdim=True)).log(), state


def bigram_nats(learnt: Tensor, held_out: Tensor, vocabulary_size: int) -> float:
    """Return the mean of -ln p of ``held_out`` after its first token, for a vocabulary of any size.

    The figure of a ``BigramLanguageModel`` with its default smoothing that counted ``learnt``.
    """
    smoothing = 0.1
    keys, counts = (learnt[:-1] * vocabulary_size + learnt[1:]).unique(return_counts=True)
    totals = learnt[:-1].bincount(minlength=vocabulary_size)
    asked = held_out[:-1] * vocabulary_size + held_out[1:]
    place = torch.searchsorted(keys, asked).clamp(max=len(keys) - 1)
    found = torch.where(keys[place] == asked, counts[place], 0)
    seen = totals[held_out[:-1]] + smoothing * vocabulary_size
    return -((found + smoothing) / seen).double().log().mean().item()
