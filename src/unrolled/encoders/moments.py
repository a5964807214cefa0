"""Where in a frame things are, and when the frame is, for what sums its places up."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Moments(nn.Module):
    """Sum the places of every frame up: how much there is of each channel, and whereabouts.

        y = [mean(x); mean(x row); mean(x column); time]    means over all places
                                     row, column, time: from -1, the first, to 1, the last

    A mean alone forgets where things are, and frames alone which one came first: nothing could
    tell what moves left from what moves right.

    Shapes: x [N, T, C, H, W] float; y [N, T, 3 C + 1].
    Source: none; rows and columns as in Liu et al. 2018, arXiv:1807.03247, §3.
    Example:
        >>> x = torch.zeros(1, 2, 1, 3, 3)
        >>> x[0, 0, 0, 0, 2] = x[0, 1, 0, 2, 2] = 9  # at the top right, then at the bottom right
        >>> Moments()(x).tolist()
        [[[1.0, -1.0, 1.0, -1.0], [1.0, 1.0, 1.0, 1.0]]]
    """

    @staticmethod
    def size(channels: int) -> int:
        """Return how long the features are that are made of so many channels."""
        return 3 * channels + 1

    def forward(self, x: Float[Tensor, "N T C H W"]) -> Float[Tensor, "N T D"]:
        """Return the features of every frame."""
        films, frames, _, height, width = x.shape
        ends = [torch.linspace(-1, 1, size).to(x) for size in (frames, height, width)]
        times, rows, columns = ends
        down, right = (x * rows[:, None]).mean((-2, -1)), (x * columns).mean((-2, -1))
        when = times[:, None].expand(films, -1, -1)
        return torch.cat([x.mean((-2, -1)), down, right, when], dim=-1)
