"""A vector for every token."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.recurrence import Recurrence
from unrolled.shapes import check_shape


class Embedding(Recurrence[tuple[()]]):
    """Look every token up in a table of learned vectors.

        y = weight[x]

    Shapes: x [B, T] int64, values 0 ... V-1; state (); y [B, T, D].
    Args:
        num_embeddings: V, how many tokens there are.
        embedding_dim: D, the length of a vector.
    Raises:
        ShapeError: x is not [B, T].
        IndexError: a token is not below V (from torch).
    Source: Bengio et al. 2003, the table C; names and N(0, 1) start as torch.nn.Embedding.
    Example:
        >>> y, _ = Embedding(11, 5)(torch.tensor([[3, 1, 4]]))
        >>> y.shape
        torch.Size([1, 3, 5])
    """

    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(num_embeddings, embedding_dim))

    def scan(
        self, x: Int[Tensor, "B T"], state: tuple[()]
    ) -> tuple[Float[Tensor, "B T D"], tuple[()]]:
        """Look up a chunk."""
        check_shape("x", x, "B T")
        return F.embedding(x, self.weight), state
