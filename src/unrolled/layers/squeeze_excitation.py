"""Channels of a frame, weighed by what all of them say together."""

from jaxtyping import Float
from torch import Tensor, nn


class SqueezeExcitation(nn.Module):
    """Scale every channel of a frame by what all of them say on the mean over its places.

        y = x sigmoid(W_2 ReLU(W_1 mean(x) + b_1) + b_2)

    Shapes: x [N, C, H, W] float; y as x.
    Args:
        num_features: C.
        squeezed_size: channels in between.
    Source: Hu et al. 2018, arXiv:1709.01507, eqs. 2-4.
    Example:
        >>> import torch
        >>> SqueezeExcitation(6, squeezed_size=2)(torch.zeros(1, 6, 3, 5)).shape
        torch.Size([1, 6, 3, 5])
    """

    def __init__(self, num_features: int, squeezed_size: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(num_features, squeezed_size)
        self.excite = nn.Linear(squeezed_size, num_features)

    def gate(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C"]:
        """Return what every channel is scaled by."""
        gate: Tensor = self.excite(self.squeeze(x.mean((-2, -1))).relu()).sigmoid()
        return gate

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        """Weigh the channels."""
        return x * self.gate(x)[:, :, None, None]
