"""The encoding-forecasting network of convolutional LSTMs."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.cells import ConvLSTM
from unrolled.errors import ConfigError, ShapeError
from unrolled.layers import Serial
from unrolled.shapes import check_shape


class ConvLSTMForecaster(nn.Module):
    """Not a Recurrence: read a clip with one stack of ConvLSTMs, and paint its future with another.

        state_1 ... state_L = encoder(patches of x)
        h_L ... h_1 = forecaster, from the states in reverse order, without any input
        frame = patches put back of (W [h_L, ..., h_1] + b)             one frame each step

    A frame is cut into patches, whose pixels become channels. The encoder streams by itself:
    ``network.encoder`` is a ``Recurrence`` over patches.

    Shapes: x [B, T, C, H, W] float, H and W multiples of ``patch_size``; y [B, frame_count, C,
        H, W], logits of pixels in [0, 1].
    Args:
        input_size: C.
        hidden_sizes: channels of each layer of the encoder; the forecaster has them in reverse.
        kernel_size: height and width of every kernel, odd.
        patch_size: pixels of a patch's side.
    Raises:
        ConfigError: no layer, or an even ``kernel_size``.
        ShapeError: x has not C channels, or a size that patches do not divide.
    Source: Shi et al. 2015, arXiv:1506.04214, §3.2 and Table 1. With peepholes of one weight a
        channel, 5 x 5 kernels and 4 x 4 patches, the layers 256, 128-128 and 128-64-64 have the
        13,524,496, 10,042,896 and 7,585,296 parameters of the paper's table.
    Example:
        >>> network = ConvLSTMForecaster(hidden_sizes=(5, 3), kernel_size=3)
        >>> network(torch.zeros(2, 7, 1, 16, 12), frame_count=4).shape
        torch.Size([2, 4, 1, 16, 12])
    """

    def __init__(
        self,
        input_size: int = 1,
        *,
        hidden_sizes: Sequence[int] = (128, 64, 64),
        kernel_size: int = 5,
        patch_size: int = 4,
    ) -> None:
        super().__init__()
        if not hidden_sizes or min(input_size, patch_size, *hidden_sizes) < 1:
            got = f"{input_size = }, {hidden_sizes = }, {patch_size = }"
            raise ConfigError("sizes of at least 1", got)
        self.input_size = input_size
        self.patch_size = patch_size
        channels = input_size * patch_size**2
        self.encoder = _stack([channels, *hidden_sizes], kernel_size)
        self.forecaster = _stack([0, *reversed(hidden_sizes)], kernel_size)
        self.readout = nn.Conv2d(sum(hidden_sizes), channels, kernel_size=1)

    def forward(
        self, x: Float[Tensor, "B T C H W"], *, frame_count: int = 10
    ) -> Float[Tensor, "B F C H W"]:
        """Return logits of the ``frame_count`` frames that come after x."""
        check_shape("x", x, "B T C H W", C=self.input_size)
        height, width = x.shape[-2:]
        if height % self.patch_size or width % self.patch_size:
            raise ShapeError(
                f"H and W that are multiples of patch_size={self.patch_size}", f"{height, width}"
            )
        patches = F.pixel_unshuffle(x, self.patch_size)
        _, states = self.encoder(patches)
        states = states[::-1]
        blank, frames = patches[:, 0, :0], []  # says H and W alone
        for _ in range(frame_count):
            h, maps, after = blank, [], []
            for layer, before in zip(self.forecaster.layers, states, strict=True):
                h, state = layer.step(h, before)
                maps.append(h)
                after.append(state)
            states = tuple(after)
            frames.append(F.pixel_shuffle(self.readout(torch.cat(maps, dim=1)), self.patch_size))
        return torch.stack(frames, dim=1)


def _stack(sizes: Sequence[int], kernel_size: int) -> Serial:
    return Serial(*(ConvLSTM(c, d, kernel_size=kernel_size) for c, d in pairwise(sizes)))
