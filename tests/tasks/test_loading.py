"""Whatever is learnt from is a sequence of chunks, made when they are asked for."""

import time

import pytest
import torch

from unrolled.tasks.loading import Chunks, epoch_order, loading_share
from unrolled.training.truncated_bptt import Chunk


class Slow(Chunks):
    """Five chunks that take a hundredth of a second each."""

    def __len__(self) -> int:
        return 5

    def _chunk(self, number: int) -> Chunk:
        time.sleep(0.01)
        return Chunk(torch.full((2, 3), number), torch.zeros(2), number)


def test_chunks_are_a_sequence() -> None:
    chunks = Slow()
    assert [chunk.number for chunk in chunks] == [*range(5)]
    assert [chunk.number for chunk in chunks[::-2]] == [4, 2, 0]
    assert [chunks[number].number for number in (-5, -1)] == [0, 4]
    for beyond in (5, -6):
        with pytest.raises(IndexError):
            chunks[beyond]


def test_time_spent_on_chunks_is_counted_for_each_sequence_by_itself() -> None:
    chunks, idle = Slow(), Slow()
    _ = chunks[1:3]
    assert chunks.loading_seconds >= 0.02
    assert idle.loading_seconds == 0
    assert loading_share(chunks, 10 * chunks.loading_seconds) == pytest.approx(0.1)
    assert loading_share(chunks, 0.0) == 1.0


def test_an_epoch_has_every_sample_once_in_an_order_of_its_own() -> None:
    numbers = [3, 5, 8, 13, 21, 34]
    orders = {tuple(epoch_order(numbers, seed=s, epoch=e)) for s in range(3) for e in range(3)}
    assert len(orders) > 6
    assert all(sorted(order) == numbers for order in orders)
