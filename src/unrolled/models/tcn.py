"""The temporal convolutional network: a history that doubles with every level."""

from typing import Any

from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from unrolled.errors import ConfigError
from unrolled.layers import CausalConv1d, Dropout, Embedding, Linear, PerFrame, Residual, Serial
from unrolled.recurrence import Recurrence

Layers = list[Recurrence[Any, Any, Any, Any]]


class TCN(Serial):
    """Dilated causal convolutions in residual levels, each looking twice as far back as the last.

        level_l(x) = ReLU(skip(x) + f_n(... f_1(x)))                  l = 0 ... num_levels - 1
        f_i(x) = dropout(ReLU(conv_i(x)))                             dilation 2^l
        y = W level_(num_levels - 1)(... level_0(x)) + b

    ``skip`` is a 1x1 convolution where it has to change the width. Every ``conv_i`` has its weight
    normalised; ``torch.nn.utils.parametrize.remove_parametrizations(conv, "weight")`` makes it a
    plain one of the same output once training is over.

    Shapes: x [B, T, C] float; state one state a layer; y [B, T, D].
    Args:
        input_size: C.
        output_size: D.
        hidden_size: channels of every level.
        num_levels: how many levels.
        kernel_size: taps of every convolution.
        dropout: share that training drops behind every convolution.
        dropout_period: steps that share one mask: 1 drops element by element, None drops whole
            channels of a sequence.
        convolutions_per_level: n.
    Raises:
        ConfigError: a size below 1, or a share outside [0, 1).
    Source: Bai, Kolter & Koltun 2018, arXiv:1803.01271, §3 and Fig. 1; weight normalisation:
        Salimans & Kingma 2016, arXiv:1602.07868. Differs: dropout is element by element, as in the
        authors' code; §3.4 says whole channels, which is ``dropout_period=None``. Convolutions
        start as torch.nn.Conv1d does.
    Example:
        >>> import torch
        >>> model = TCN(3, 5, hidden_size=7, num_levels=4, kernel_size=2)
        >>> y, _ = model(torch.zeros(2, 11, 3))
        >>> y.shape, model.receptive_field
        (torch.Size([2, 11, 5]), 31)
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        hidden_size: int = 25,
        num_levels: int = 8,
        kernel_size: int = 7,
        dropout: float = 0.0,
        dropout_period: int | None = 1,
        convolutions_per_level: int = 2,
    ) -> None:
        if min(hidden_size, num_levels, convolutions_per_level) < 1:
            got = f"{hidden_size = }, {num_levels = }, {convolutions_per_level = }"
            raise ConfigError("sizes of at least 1", got)
        layers: Layers = []
        for level in range(num_levels):
            convolutions: Layers = []
            size = input_size if level == 0 else hidden_size
            skip = None if size == hidden_size else Linear(size, hidden_size)
            for _ in range(convolutions_per_level):
                conv = CausalConv1d(size, hidden_size, kernel_size=kernel_size, dilation=2**level)
                convolutions += [weight_norm(conv), PerFrame(nn.ReLU())]
                convolutions += [Dropout(dropout, period=dropout_period)] if dropout else []
                size = hidden_size
            layers += [Residual(Serial(*convolutions), skip), PerFrame(nn.ReLU())]
        super().__init__(*layers, Linear(hidden_size, output_size))
        self.input_size = input_size
        #: how many steps of x, the present one among them, an output depends on
        self.receptive_field = 1 + convolutions_per_level * (kernel_size - 1) * (2**num_levels - 1)


class TCNLanguageModel(Serial):
    """Predict the next token from the last ``receptive_field``: embedding, TCN, scores.

        logits_t = TCN(E x_(t - receptive_field + 1) ... E x_t)      log p(x_{t+1} | these)

    Shapes: x [B, T] int64 tokens; state one state a layer; y [B, T, V] logits.
    Args:
        vocabulary_size: V.
        embedding_size: length of a token's vector.
        hidden_size: channels of every level.
        num_levels: how many levels.
        kernel_size: taps of every convolution.
        dropout: share that training drops from the embedding and behind every convolution.
    Raises:
        ConfigError: a size below 1, or a share outside [0, 1).
    Source: Bai, Kolter & Koltun 2018, arXiv:1803.01271, §5 and Table 2. Differs: the scores have a
        weight of their own, not the embedding's.
    Example:
        >>> import torch
        >>> model = TCNLanguageModel(11, embedding_size=3, hidden_size=5, num_levels=2)
        >>> y, _ = model(torch.zeros(2, 7, dtype=torch.int64))
        >>> y.shape, model.receptive_field
        (torch.Size([2, 7, 11]), 13)
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        embedding_size: int = 128,
        hidden_size: int = 512,
        num_levels: int = 4,
        kernel_size: int = 3,
        dropout: float = 0.0,
    ) -> None:
        network = TCN(
            embedding_size,
            vocabulary_size,
            hidden_size=hidden_size,
            num_levels=num_levels,
            kernel_size=kernel_size,
            dropout=dropout,
        )
        dropouts = [Dropout(dropout)] if dropout else []
        super().__init__(Embedding(vocabulary_size, embedding_size), *dropouts, network)
        self.receptive_field = network.receptive_field
