"""The recurrent language model."""

from typing import Any

from torch import nn

from unrolled.errors import ConfigError
from unrolled.layers import Dropout, Embedding, Linear, Serial
from unrolled.recurrence import Recurrence
from unrolled.registry import build_recurrence


class RecurrentLanguageModel(Serial):
    """Predict the next token from all before it: embedding, a stack of cells, scores.

        logits_t = W cell_n(... cell_1(E x_t)) + b            log p(x_{t+1} | x_0 ... x_t)

    Shapes: x [B, T] int64 tokens; state one state a layer; y [B, T, V] logits.
    Args:
        vocabulary_size: V.
        cell: name of the cell in the registry, your own included.
        embedding_size: length of a token's vector.
        hidden_size: of every cell.
        num_layers: how many cells are stacked.
        dropout: share of the connections into every cell and out of the last that training drops.
        init_range: every weight and bias starts from U(-init_range, init_range), a forget gate's
            bias with no 1 added; None leaves every layer its own start.
    Raises:
        ConfigError: no cell has this name, or an init_range that is not above 0.
    Source: Mikolov et al. 2010; stacked, with dropout outside the recurrence: Zaremba et al. 2014,
        arXiv:1409.2329. Differs: nothing.
    Example:
        >>> import torch
        >>> model = RecurrentLanguageModel(11, embedding_size=3, hidden_size=5)
        >>> y, _ = model(torch.zeros(2, 7, dtype=torch.int64))
        >>> y.shape
        torch.Size([2, 7, 11])
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        cell: str = "lstm",
        embedding_size: int = 128,
        hidden_size: int = 512,
        num_layers: int = 1,
        dropout: float = 0.0,
        init_range: float | None = None,
    ) -> None:
        layers: list[Recurrence[Any, Any, Any, Any]] = [Embedding(vocabulary_size, embedding_size)]
        for number in range(num_layers):
            input_size = hidden_size if number else embedding_size
            layers += [*_dropouts(dropout), build_recurrence(cell, input_size, hidden_size)]
        super().__init__(*layers, *_dropouts(dropout), Linear(hidden_size, vocabulary_size))
        if init_range is not None:
            if not init_range > 0:
                raise ConfigError("init_range above 0", str(init_range))
            for parameter in self.parameters():
                nn.init.uniform_(parameter, -init_range, init_range)


def _dropouts(share: float) -> list[Dropout]:
    return [Dropout(share)] if share > 0 else []
