"""A convolutional network over profiles, read by an LSTM: gestures before a radar."""

from typing import Any

from torch import nn

from unrolled.cells import LSTM
from unrolled.errors import ConfigError
from unrolled.layers import Dropout, Linear, PerFrame, Serial
from unrolled.recurrence import Recurrence

_KERNEL, _STRIDE, _LAYERS = 5, 2, 2


class ProfileLSTM(Serial):
    """Label every step of a sequence of profiles, such as the range and Doppler bins of a radar.

        features_t = flat(ReLU(conv2(ReLU(conv1(x_t)))))        over the bins, stride 2
        logits_t = W LSTM(dropout(features_t)) + b

    Shapes: x [B, T, D] float, D = profiles * bins; state one state a layer; y [B, T, class_count]
        logits.
    Args:
        class_count: classes.
        input_size: D.
        profiles: that lie behind each other in x, such as 2: Doppler and range.
        width: channels of both convolutions.
        hidden_size: of the LSTM.
        dropout: share that training drops from what the LSTM takes.
    Raises:
        ConfigError: a size below 1, or D that is not so many profiles of at least 13 bins.
    Source: Wang et al. 2016, "Interacting with Soli", a CNN per frame, an LSTM, and a softmax at
        every frame. Differs: profiles instead of range-Doppler images, and far smaller.
    Example:
        >>> import torch
        >>> y, _ = ProfileLSTM(5, input_size=32, hidden_size=7)(torch.zeros(3, 11, 32))
        >>> y.shape
        torch.Size([3, 11, 5])
    """

    def __init__(
        self,
        class_count: int,
        *,
        input_size: int,
        profiles: int = 2,
        width: int = 16,
        hidden_size: int = 64,
        dropout: float = 0.3,
    ) -> None:
        if min(class_count, profiles, width, hidden_size) < 1:
            got = f"{class_count = }, {profiles = }, {width = }, {hidden_size = }"
            raise ConfigError("sizes of at least 1", got)
        bins, rest = divmod(input_size, profiles)
        for _ in range(_LAYERS):
            bins = (bins - _KERNEL) // _STRIDE + 1
        if rest or bins < 1:
            expected = f"{profiles} profiles of at least 13 bins in every step"
            raise ConfigError(expected, f"{input_size} numbers", "set profiles")
        look = nn.Sequential(
            nn.Unflatten(1, (profiles, -1)),
            nn.Conv1d(profiles, width, _KERNEL, stride=_STRIDE),
            nn.ReLU(),
            nn.Conv1d(width, width, _KERNEL, stride=_STRIDE),
            nn.ReLU(),
            nn.Flatten(),
        )
        layers: list[Recurrence[Any, Any, Any, Any]] = [PerFrame(look)]
        layers += [Dropout(dropout)] if dropout > 0 else []
        super().__init__(*layers, LSTM(width * bins, hidden_size), Linear(hidden_size, class_count))
        self.input_size, self.class_count = input_size, class_count
