"""The base of cells: what depends on the input alone is computed for a whole chunk at once."""

from typing import Any

import torch
from torch import Tensor
from typing_extensions import TypeVar

from unrolled.recurrence import Recurrence
from unrolled.shapes import check_shape
from unrolled.state import Tree

StateT = TypeVar("StateT", bound=Tree, default=Any)


class _Cell(Recurrence[StateT]):
    """A cell in two halves: ``project`` what the input brings, then ``advance`` the state by it.

    Only ``advance`` has to wait for the step before. A chunk is therefore projected in one large
    product, which is faster than T small ones.
    """

    input_size: int

    def project(self, x: Tensor) -> Tensor:
        """Return what the input brings to its step: ``x [..., C]`` to ``[..., R]``."""
        raise NotImplementedError

    def advance(self, projected: Tensor, state: StateT) -> tuple[Tensor, StateT]:
        """Return the output and the state after a step, given its ``projected [B, R]``."""
        raise NotImplementedError

    def step(self, x_t: Tensor, state: StateT) -> tuple[Tensor, StateT]:
        """Advance by one step ``x_t [B, C]``."""
        check_shape("x_t", x_t, "B C", C=self.input_size)
        y_t, state = self.advance(self.project(x_t), state)
        return y_t.to(x_t.dtype), state

    def plain_scan(self, x: Tensor, state: StateT) -> tuple[Tensor, StateT]:
        """Advance over a chunk ``x [B, T, C]``: project it, then loop."""
        check_shape("x", x, "B T C", C=self.input_size)
        outputs = []
        for projected in self.project(x).unbind(1):
            y_t, state = self.advance(projected, state)
            outputs.append(y_t)
        return torch.stack(outputs, dim=1).to(x.dtype), state
