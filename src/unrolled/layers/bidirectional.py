"""Two recurrences over one sequence, one from each end."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence


class Bidirectional(nn.Module):
    """Not a Recurrence, for it cannot stream: one layer reads from the start, one from the end.

        y_t = [forward(x)_t; backward(x reversed)_t]           each row reversed within its length

    The first output needs the last input, so that there is no step, and cutting the sequence would
    change the answer.

    Shapes: x [B, T, ...]; lengths [B]; y [B, T, D_forward + D_backward], 0 past the lengths;
        states (forward's after the last step, backward's after the first).
    Args:
        forward: the recurrence that reads from the start.
        backward: the one that reads from the end.
    Raises:
        ConfigError: one of them has a stride: their steps would not meet.
    Source: Schuster & Paliwal 1997. With two LSTM it equals torch.nn.LSTM(bidirectional=True).
    Example:
        >>> from unrolled.cells import LSTM
        >>> layer = Bidirectional(LSTM(3, 5), LSTM(3, 5))
        >>> y, (ahead, back) = layer(torch.zeros(2, 7, 3), lengths=torch.tensor([7, 4]))
        >>> y.shape, back.h.shape
        (torch.Size([2, 7, 10]), torch.Size([2, 5]))
    """

    def __init__(
        self,
        forward: Recurrence[Any, Any, Any, Any],
        backward: Recurrence[Any, Any, Any, Any],
    ) -> None:
        super().__init__()
        for layer in (forward, backward):
            if layer.stride > 1:
                raise ConfigError("layers of stride 1, whose steps meet", f"stride={layer.stride}")
        self.forward_layer = cast(nn.Module, forward)
        self.backward_layer = cast(nn.Module, backward)

    def forward(
        self, x: Tensor, *, lengths: Tensor | None = None
    ) -> tuple[Tensor, tuple[Any, Any]]:
        """Read x from both ends; steps at and past ``lengths[b]`` did not happen."""
        ahead, ahead_state = self.forward_layer(x, lengths=lengths)
        back, back_state = self.backward_layer(_reverse(x, lengths), lengths=lengths)
        y = torch.cat([ahead, _reverse(back, lengths)], dim=-1)
        return y, (ahead_state, back_state)


def _reverse(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Turn every row around within its length, and leave its padding where it is."""
    if lengths is None:
        return x.flip(1)
    step = torch.arange(x.shape[1], device=x.device)
    mirrored = lengths.to(x.device)[:, None] - 1 - step  # [B, T], negative in the padding
    row = torch.arange(len(x), device=x.device)[:, None]
    return x[row, mirrored.where(mirrored >= 0, step)]
