"""The base of convolutional cells: what the frames bring is computed for a whole chunk at once."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import TypeVar

from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence
from unrolled.shapes import check_shape
from unrolled.state import Tree, state_dtype

StateT = TypeVar("StateT", bound=Tree, default=Any)


class _ConvCell(Recurrence[StateT]):
    """A cell over maps, in two halves: ``project`` the frames, then ``advance`` the state.

    Only ``advance`` has to wait for the step before, so a chunk is projected in one convolution.
    """

    input_size: int
    hidden_size: int
    weight_ih: nn.Parameter
    weight_hh: nn.Parameter

    def _make_kernels(
        self, num_gates: int, input_size: int, hidden_size: int, kernel_size: int
    ) -> None:
        """Make both kernels, and draw them from U(-1/sqrt(D k²), 1/sqrt(D k²))."""
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ConfigError("an odd kernel_size", str(kernel_size))
        self.input_size = input_size
        self.hidden_size = hidden_size
        square = (kernel_size, kernel_size)
        self.weight_ih = nn.Parameter(torch.empty(num_gates * hidden_size, input_size, *square))
        self.weight_hh = nn.Parameter(torch.empty(num_gates * hidden_size, hidden_size, *square))
        bound = self.weight_hh[0].numel() ** -0.5
        nn.init.uniform_(self.weight_ih, -bound, bound)
        nn.init.uniform_(self.weight_hh, -bound, bound)

    def zero_maps(self, x_t: Tensor) -> Tensor:
        """Return zeros ``[B, D, H, W]`` of the frame's height and width."""
        check_shape("x_t", x_t, "B C H W", C=self.input_size)
        batch_size, _, *size = x_t.shape
        return x_t.new_zeros(batch_size, self.hidden_size, *size, dtype=state_dtype(x_t.dtype))

    def project(self, x: Tensor) -> Tensor:
        """Return what frames ``[N, C, H, W]`` bring to their step, ``[N, R, H, W]``."""
        raise NotImplementedError

    def advance(self, projected: Tensor, state: StateT) -> tuple[Tensor, StateT]:
        """Return the output and the state after a step, given its ``projected [B, R, H, W]``."""
        raise NotImplementedError

    def step(self, x_t: Tensor, state: StateT) -> tuple[Tensor, StateT]:
        """Advance by one frame ``x_t [B, C, H, W]``."""
        check_shape("x_t", x_t, "B C H W", C=self.input_size)
        y_t, state = self.advance(self.project(x_t), state)
        return y_t.to(x_t.dtype), state

    def plain_scan(self, x: Tensor, state: StateT) -> tuple[Tensor, StateT]:
        """Advance over a chunk ``x [B, T, C, H, W]``: project it, then loop."""
        check_shape("x", x, "B T C H W", C=self.input_size)
        outputs = []
        for projected in self.project(x.flatten(0, 1)).unflatten(0, x.shape[:2]).unbind(1):
            y_t, state = self.advance(projected, state)
            outputs.append(y_t)
        return torch.stack(outputs, dim=1).to(x.dtype), state


def convolve(h: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolve maps in the weights' dtype, keeping their size, and return theirs."""
    return F.conv2d(h.to(weight.dtype), weight, bias, padding="same").to(h.dtype)
