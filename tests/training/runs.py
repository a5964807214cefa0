"""A small run for the tests: three windows of two streams, in float64."""

from collections.abc import Sequence

import torch
from torch import Tensor

from unrolled.cells import LSTM
from unrolled.layers import Dropout, Linear, Serial
from unrolled.training.loop import Training
from unrolled.training.options import TrainingOptions
from unrolled.training.truncated_bptt import Chunk

WINDOWS = (4, 4, 3)


class Pieces(Sequence):
    """Eleven steps of two streams in three windows."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(1)
        self.x = torch.randn(2, 11, 3, generator=generator).double()
        self.target = torch.randn(2, 11, 5, generator=generator).double()

    def __len__(self) -> int:
        return len(WINDOWS)

    def __getitem__(self, number: int) -> Chunk:
        xs, targets = self.x.split(WINDOWS, 1), self.target.split(WINDOWS, 1)
        return Chunk(xs[number], targets[number], number)


def squared_error(y: Tensor, target: Tensor) -> Tensor:
    return ((y - target) ** 2).mean()


def model(dropout: float = 0.0) -> Serial:
    torch.manual_seed(3)
    return Serial(LSTM(3, 7), Dropout(dropout), Linear(7, 5)).double()


def training(
    network=None,
    data=None,
    validate=lambda _: 1.0,
    report=lambda _: None,
    folder=None,
    loss_of=squared_error,
    **options,
) -> Training:
    return Training(
        network or model(),
        data or Pieces(),
        loss_of,
        validate,
        TrainingOptions(**options),
        folder=folder,
        report=report,
    )
