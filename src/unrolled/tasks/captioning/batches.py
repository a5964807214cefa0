"""What an epoch of captioning learns from: every picture once, with some of its captions."""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from unrolled.tasks.loading import Chunks, epoch_order, mixed_seed
from unrolled.training.truncated_bptt import Chunk

NO_WORD = -1  # a target that does not count: past the end of a caption


class CaptionBatch(NamedTuple):
    """Pictures, and the words that are given as captions are learnt.

    Shapes: pictures uint8 [N, C, H, W], films uint8 [N, T, C, H, W], or what a frozen encoder made
        of them, float [N, L, C]; words int64 [K·N, T], K consecutive rows of one picture.
    """

    pictures: Tensor
    words: Tensor


class Seen(Protocol):
    """Gives pictures as the learner takes them."""

    def batch(self, numbers: Sequence[int]) -> Tensor:
        """Return pictures, or what a frozen encoder made of them, ``[N, ...]``."""


class CaptionBatches(Chunks):
    """The batches of an epoch, in an order of the epoch's own.

    Which captions come depends on the seed, the epoch and the picture alone, so that a run that is
    resumed learns from the same ones. A picture with fewer than are asked for gives some twice.

    Args:
        seen: gives the pictures.
        captions: the tokens of every caption of every picture, by its number; ``<end>`` included.
        numbers: of the pictures that are learnt from.
        start: the token ``<start>``.
        batch_size: N, pictures of a batch.
        captions_per_picture: K.
        seed: of the order and of what is drawn.
    """

    def __init__(
        self,
        seen: Seen,
        captions: Sequence[Sequence[Sequence[int]]],
        numbers: Sequence[int],
        *,
        start: int,
        batch_size: int,
        captions_per_picture: int,
        seed: int,
    ) -> None:
        self.seen, self.captions, self.numbers = seen, captions, list(numbers)
        self.start, self.seed = start, seed
        self.batch_size = min(batch_size, len(self.numbers))
        self.captions_per_picture = captions_per_picture
        self.begin_epoch(0)

    def begin_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch."""
        self._order = epoch_order(self.numbers, seed=self.seed, epoch=epoch)
        self._epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.numbers) // self.batch_size)

    def _chunk(self, number: int) -> Chunk:
        chosen = self._order[number * self.batch_size : (number + 1) * self.batch_size]
        rows = [tokens for picture in chosen for tokens in self._drawn(picture)]
        words, target = padded_words(rows, self.start)
        return Chunk(CaptionBatch(self.seen.batch(chosen), words), target, number, fresh=True)

    def _drawn(self, picture: int) -> list[Sequence[int]]:
        draws = Random(mixed_seed(self.seed, self._epoch, picture))
        found, wanted = list(self.captions[picture]), self.captions_per_picture
        draws.shuffle(found)
        return (found * -(-wanted // len(found)))[:wanted]


def padded_words(captions: Sequence[Sequence[int]], start: int) -> tuple[Tensor, Tensor]:
    """Return the words that are given and those that should follow, ``[B, T]`` each.

    Example:
        >>> words, target = padded_words([[5, 6, 2], [7, 2]], start=1)  # 2 is <end>
        >>> words.tolist(), target.tolist()
        ([[1, 5, 6], [1, 7, 2]], [[5, 6, 2], [7, 2, -1]])
    """
    length = max(map(len, captions))
    target = torch.full((len(captions), length), NO_WORD)
    for row, tokens in enumerate(captions):
        target[row, : len(tokens)] = torch.tensor(tokens)
    words = torch.full_like(target, start)
    given = target[:, :-1]
    words[:, 1:] = given.where(given != NO_WORD, start)
    return words, target
