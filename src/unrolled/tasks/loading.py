"""What every task learns from: chunks made when they are asked for, in an order of the epoch's."""

import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import overload

import torch

from unrolled.training.truncated_bptt import Chunk


class Chunks(Sequence[Chunk]):
    """The chunks of an epoch, each made when it is asked for.

    A subclass says how many there are, and writes ``_chunk``.

    Attributes:
        loading_seconds: how long making them took so far: reading, resizing, cutting and scaling.
    Example:
        >>> class Countdown(Chunks):
        ...     def __len__(self) -> int:
        ...         return 3
        ...
        ...     def _chunk(self, number: int) -> Chunk:
        ...         return Chunk(torch.full((2, 5), 3 - number), torch.zeros(2), number)
        >>> chunks = Countdown()
        >>> chunks[-1].number, [chunk.number for chunk in chunks[:2]], chunks.loading_seconds > 0
        (2, [0, 1], True)
    """

    loading_seconds = 0.0

    @abstractmethod
    def _chunk(self, number: int) -> Chunk:
        """Make the chunk of a number, from 0 to below the length."""

    @overload
    def __getitem__(self, number: int) -> Chunk: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Chunk]: ...
    def __getitem__(self, number: int | slice) -> Chunk | Sequence[Chunk]:
        if isinstance(number, slice):
            return [self[index] for index in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        began = time.perf_counter()
        chunk = self._chunk(number % len(self))
        self.loading_seconds += time.perf_counter() - began
        return chunk


def loading_share(chunks: Chunks, seconds: float) -> float:
    """Return the share of a run's seconds that it waited for its chunks."""
    return min(1.0, chunks.loading_seconds / max(seconds, 1e-9))


def epoch_order(numbers: Sequence[int], *, seed: int, epoch: int) -> list[int]:
    """Return samples in the order of an epoch, which depends on the seed and the epoch alone.

    Example:
        >>> orders = [epoch_order(range(20), seed=0, epoch=epoch) for epoch in (0, 0, 1)]
        >>> orders[0] == orders[1], orders[0] == orders[2], sorted(orders[2]) == [*range(20)]
        (True, False, True)
    """
    draws = torch.Generator().manual_seed(mixed_seed(seed, epoch, -1))
    return [numbers[place] for place in torch.randperm(len(numbers), generator=draws)]


def mixed_seed(*numbers: int) -> int:
    """Return one seed of several numbers.

    Example:
        >>> mixed_seed(0, 1, 2) == mixed_seed(0, 1, 2), mixed_seed(0, 1, 2) == mixed_seed(0, 2, 1)
        (True, False)
    """
    return hash(numbers) & (2**63 - 1)  # of integers: the same in every process
