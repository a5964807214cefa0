"""The same affine map at every step."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.recurrence import Recurrence
from unrolled.shapes import check_shape


class Linear(Recurrence[tuple[()]]):
    """Apply one affine map to every step, as a readout does.

        y = weight x + bias

    Shapes: x [B, T, C] float; state (); y [B, T, D].
    Args:
        in_features: C.
        out_features: D.
        bias: add a bias.
    Raises:
        ShapeError: x has not C features.
    Source: none; names and U(-1/sqrt(C), 1/sqrt(C)) start as torch.nn.Linear.
    Example:
        >>> y, _ = Linear(5, 7)(torch.zeros(2, 3, 5))
        >>> y.shape
        torch.Size([2, 3, 7])
    """

    def __init__(self, in_features: int, out_features: int, *, bias: bool = True) -> None:
        super().__init__()
        self.in_features = in_features
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.bias = nn.Parameter(torch.empty(out_features)) if bias else None
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(in_features**-0.5), in_features**-0.5)

    def scan(
        self, x: Float[Tensor, "B T C"], state: tuple[()]
    ) -> tuple[Float[Tensor, "B T D"], tuple[()]]:
        """Map a chunk in one product."""
        check_shape("x", x, "B T C", C=self.in_features)
        return F.linear(x, self.weight, self.bias), state
