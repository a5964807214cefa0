"""The recurrent classifier: a label at every step of a sequence of vectors."""

from typing import Any

from unrolled.errors import ConfigError
from unrolled.layers import Dropout, Linear, Serial
from unrolled.recurrence import Recurrence
from unrolled.registry import build_recurrence


class RecurrentClassifier(Serial):
    """Label every step of a sequence of vectors by all up to it: a stack of cells, and scores.

        logits_t = W cell_n(... cell_1(x_t)) + b

    Shapes: x [B, T, D] float; state one state a layer; y [B, T, class_count] logits.
    Args:
        class_count: classes.
        input_size: D.
        cell: name of the cell in the registry, your own included.
        hidden_size: of every cell.
        num_layers: how many cells are stacked.
        dropout: share of the connections out of every cell that training drops.
    Raises:
        ConfigError: no cell has this name, or a size below 1.
    Source: none; a cell read by a linear layer at every step, as in Graves 2012, "Supervised
        Sequence Labelling with Recurrent Neural Networks", chapter 3.
    Example:
        >>> import torch
        >>> y, _ = RecurrentClassifier(5, input_size=2, hidden_size=7)(torch.zeros(3, 11, 2))
        >>> y.shape
        torch.Size([3, 11, 5])
    """

    def __init__(
        self,
        class_count: int,
        *,
        input_size: int,
        cell: str = "gru",
        hidden_size: int = 64,
        num_layers: int = 1,
        dropout: float = 0.0,
    ) -> None:
        if min(class_count, input_size, hidden_size, num_layers) < 1:
            got = f"{class_count = }, {input_size = }, {hidden_size = }, {num_layers = }"
            raise ConfigError("sizes of at least 1", got)
        layers: list[Recurrence[Any, Any, Any, Any]] = []
        for number in range(num_layers):
            layers.append(
                build_recurrence(cell, hidden_size if number else input_size, hidden_size)
            )
            layers += [Dropout(dropout)] if dropout > 0 else []
        super().__init__(*layers, Linear(hidden_size, class_count))
        self.class_count = class_count
