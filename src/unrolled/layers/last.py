"""The last valid step of every row."""

from typing import TypeVar

import torch
from torch import Tensor, nn

from unrolled.state import Tree, as_rows, leaves, map_leaves

OutputT = TypeVar("OutputT", bound=Tree)


class Last(nn.Module):
    """Not a Recurrence: pick the output of each row's last step, once the whole sequence is there.

        y_b = y[b, lengths[b] - 1]            0 where lengths[b] is 0

    The many-to-one readout. Which step is the last is known at the end only, so there is nothing
    to stream: a stream's latest output *is* this.

    Shapes: y [B, T, ...], or a NamedTuple of such; lengths [B], of y's steps; returns [B, ...].
    Source: none; indexing.
    Example:
        >>> y = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 0.0]])
        >>> Last()(y), Last()(y, torch.tensor([3, 2]))
        (tensor([3., 0.]), tensor([3., 5.]))
    """

    def forward(self, y: OutputT, lengths: Tensor | None = None) -> OutputT:
        """Return step ``lengths[b] - 1`` of every row; without lengths, the last there is."""
        if lengths is None:
            return map_leaves(lambda leaf: leaf[:, -1], y)
        row = torch.arange(len(lengths), device=leaves(y)[0].device)
        lengths = lengths.to(row.device)

        def pick(leaf: Tensor) -> Tensor:
            # The row of length 0 takes step 0 and drops it: by `where`, for that may be NaN.
            last = leaf[row, (lengths - 1).clamp(min=0)]
            return torch.where(as_rows(lengths > 0, last), last, last.new_zeros(()))

        return map_leaves(pick, y)
