"""Sequences that are learnt from whole: no state is carried from one window to the next."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from unrolled.training.truncated_bptt import Chunk


class WholeSequences:
    """Gives a module the whole x of a window; it stands where ``TruncatedBPTT`` does.

    y = model(x)        loss = loss_of(y, target)
    """

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []  # none is run again
        self.states: list[Any] = []  # none is carried

    def forward(
        self, model: nn.Module, chunk: Chunk, loss_of: Callable[[Any, Tensor], Tensor]
    ) -> tuple[Any, Tensor, Any]:
        """Return y of a window and its loss; there is no state after it."""
        y = model(chunk.x)
        return y, loss_of(y, chunk.target), ()

    def keep(self, chunk: Chunk, after: Any) -> None:
        """Carry nothing on."""
