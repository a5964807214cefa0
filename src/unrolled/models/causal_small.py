"""A small video network that streams: the default of video classification."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from unrolled.cells import GRU
from unrolled.errors import ConfigError
from unrolled.layers import Dropout, Linear, Serial
from unrolled.models._blocks import convolution, rectified, space_pool
from unrolled.recurrence import Recurrence


class CausalSmall(Serial):
    """Label every frame of a video by what has been seen so far, in a few million products a frame.

        maps = stem(x)                              3 x 5 x 5 causal, a quarter of H and W
        maps = time(space(maps))                    1 x 3 x 3 at half H and W, then 3 x 1 x 1 causal
        logits_t = W GRU(mean over H and W of maps) + b

    Convolutions over time see motion within a few frames, the GRU remembers what it was for longer.
    Every convolution is normalised and rectified.

    Shapes: x [B, T, C, H, W] float; state one state a layer; y [B, T, class_count] logits.
    Args:
        class_count: classes.
        input_size: C, channels of a frame.
        widths: channels of the stem and of every stage behind it.
        hidden_size: of the GRU.
        dropout: share that training drops from what the GRU takes.
    Raises:
        ConfigError: no widths, a size below 1, or a share outside [0, 1).
    Source: none; factorised convolutions as in Tran et al. 2018, arXiv:1711.11248, read by a GRU as
        in Donahue et al. 2015, arXiv:1411.4389.
    Example:
        >>> import torch
        >>> y, _ = CausalSmall(class_count=5).eval()(torch.zeros(2, 3, 3, 112, 112))
        >>> y.shape
        torch.Size([2, 3, 5])
    """

    def __init__(
        self,
        class_count: int,
        *,
        input_size: int = 3,
        widths: Sequence[int] = (24, 48, 96),
        hidden_size: int = 128,
        dropout: float = 0.2,
    ) -> None:
        if not widths or min(class_count, input_size, hidden_size, *widths) < 1:
            got = f"{class_count = }, {input_size = }, {widths = }, {hidden_size = }"
            raise ConfigError("sizes of at least 1", got)
        layers: list[Recurrence[Any, Any, Any, Any]] = []
        layers += [rectified(convolution(input_size, widths[0], (3, 5, 5), spatial_stride=4))]
        for size, width in pairwise(widths):
            layers.append(rectified(convolution(size, width, (1, 3, 3), spatial_stride=2)))
            layers.append(rectified(convolution(width, width, (3, 1, 1))))
        layers += [space_pool(), *([Dropout(dropout)] if dropout else [])]
        super().__init__(*layers, GRU(widths[-1], hidden_size), Linear(hidden_size, class_count))
        self.class_count = class_count
