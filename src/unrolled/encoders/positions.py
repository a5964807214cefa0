"""The row and the column of every place, for what could not tell places apart."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Positions(nn.Module):
    """Add the row and the column of every place to maps, as two more channels.

        y = [x; row; column]        from -1, the first, to 1, the last; -1 where there is but one

    Shapes: x [N, C, H, W] float; y [N, C + 2, H, W].
    Source: Liu et al. 2018, arXiv:1807.03247, §3.
    Example:
        >>> y = Positions()(torch.zeros(1, 3, 2, 5))
        >>> y.shape, y[0, 4, 0].tolist()
        (torch.Size([1, 5, 2, 5]), [-1.0, -0.5, 0.0, 0.5, 1.0])
    """

    @staticmethod
    def size(channels: int) -> int:
        """Return how many channels there are with those added."""
        return channels + 2

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C2 H W"]:
        """Return the maps with their positions."""
        ends = [torch.linspace(-1, 1, size).to(x) for size in x.shape[-2:]]
        grid = torch.stack(torch.meshgrid(ends, indexing="ij"))
        return torch.cat([x, grid.expand(len(x), -1, -1, -1)], dim=1)
