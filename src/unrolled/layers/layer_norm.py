"""Every step brought to one mean and one spread."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.recurrence import Recurrence
from unrolled.shapes import check_shape


class LayerNorm(Recurrence[tuple[()]]):
    """Normalise the features of every step by their own mean and variance.

        y = weight * (x - mean(x)) / sqrt(var(x) + eps) + bias       over the C features of a step

    No statistics of the batch or of other steps come in, so that the law holds in training too.

    Shapes: x [B, T, C] float; state (); y as x.
    Args:
        normalized_size: C.
        eps: keeps the root away from 0.
    Raises:
        ShapeError: x has not C features.
    Source: Ba et al. 2016, arXiv:1607.06450, eq. 3-4; names and start as torch.nn.LayerNorm.
    Example:
        >>> y, _ = LayerNorm(5)(torch.randn(2, 3, 5))
        >>> y.shape, y.mean(-1).abs().max() < 1e-6
        (torch.Size([2, 3, 5]), tensor(True))
    """

    def __init__(self, normalized_size: int, *, eps: float = 1e-5) -> None:
        super().__init__()
        self.normalized_size = normalized_size
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(normalized_size))
        self.bias = nn.Parameter(torch.zeros(normalized_size))

    def scan(
        self, x: Float[Tensor, "B T C"], state: tuple[()]
    ) -> tuple[Float[Tensor, "B T C"], tuple[()]]:
        """Normalise every step of a chunk."""
        check_shape("x", x, "B T C", C=self.normalized_size)
        y = F.layer_norm(x, (self.normalized_size,), self.weight, self.bias, self.eps)
        return y, state
