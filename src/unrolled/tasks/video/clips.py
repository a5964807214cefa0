"""Clips for training and for testing, taken from samples that are read once and kept."""

from collections.abc import Sequence
from random import Random

import torch
from torch import Tensor

from unrolled.tasks.loading import Chunks, epoch_order, mixed_seed
from unrolled.tasks.video.data import VideoData
from unrolled.tasks.video.options import VideoOptions
from unrolled.tasks.video.preprocessing import AnyPreprocessing, Preprocessing
from unrolled.training.truncated_bptt import Chunk


class Clips:
    """Samples as a network takes them.

    Args:
        data: the samples, resized and kept (``keep_samples``).
        preprocessing: of the network.
        clip_frames: T.
    """

    def __init__(self, data: VideoData, preprocessing: AnyPreprocessing, clip_frames: int) -> None:
        self.data = data
        self.preprocessing = preprocessing
        self.clip_frames = clip_frames

    def stored(self, number: int) -> Tensor:
        """Return a sample at its rate: uint8 [T, C, H', W'], resized, not cut; or float [T, D]."""
        return self.data.read(number)

    def whole(self, number: int) -> Tensor:
        """Return all of a sample as the network sees it, ``[T, ...]``."""
        stored = self.stored(number)
        if isinstance(self.preprocessing, Preprocessing):
            stored = self.preprocessing.cut(stored)
        return self.preprocessing.normalize(stored)

    def views(self, number: int, *, clips: int, crops: int) -> Tensor:
        """Return the clips that a sample is judged by, ``[N * M, clip_frames, ...]``.

        They lie evenly from its first frame to its last; of a sample that is no longer than a clip
        there is one. Past its end the last frame stands still.
        """
        stored, preprocessing = self.stored(number), self.preprocessing
        found = [
            stored[hold(start, 1.0, self.clip_frames, len(stored))]
            for start in starts(len(stored), self.clip_frames, clips)
        ]
        if isinstance(preprocessing, Preprocessing):
            height, width = stored.shape[-2:]
            corners = dict.fromkeys(preprocessing.corners(height, width, crops))
            found = [preprocessing.cut(clip, corner) for clip in found for corner in corners]
        return preprocessing.normalize(torch.stack(found))

    def drawn(self, number: int, options: VideoOptions, draws: Random) -> Tensor:
        """Return a clip for training, from a place, at a pace and cut as the draws have it."""
        stored, preprocessing = self.stored(number), self.preprocessing
        pace = 1 + options.time_jitter * (2 * draws.random() - 1)
        room = len(stored) - 1 - pace * (self.clip_frames - 1)
        start = max(0.0, room) * draws.random()
        still = pace == 1 and len(stored) == self.clip_frames
        clip = stored if still else stored[hold(start, pace, self.clip_frames, len(stored))]
        if not isinstance(preprocessing, Preprocessing):
            return clip
        height, width = stored.shape[-2:]
        down, right = height - preprocessing.height, width - preprocessing.width
        corner = (int(draws.random() * (down + 1)), int(draws.random() * (right + 1)))
        clip = preprocessing.cut(clip, corner if options.crop else None)
        return clip.flip(-1) if options.flip and draws.random() < 0.5 else clip


def starts(length: int, clip_frames: int, clips: int) -> list[int]:
    """Return where the clips that judge a sample begin, each place once.

    Example:
        >>> starts(32, 16, 3), starts(7, 16, 3), starts(20, 16, 1)
        ([0, 8, 16], [0], [2])
    """
    room = max(0, length - clip_frames)
    if clips == 1:
        return [room // 2]
    return list(dict.fromkeys(round(room * n / (clips - 1)) for n in range(clips)))


def hold(start: float, pace: float, clip_frames: int, length: int) -> Tensor:
    """Return the frames of a clip by index; past the end the last one stands still.

    Example:
        >>> hold(2, 1.0, 5, 5).tolist(), hold(0, 1.5, 4, 9).tolist()
        ([2, 3, 4, 4, 4], [0, 2, 3, 4])
    """
    places = start + pace * torch.arange(clip_frames, dtype=torch.float64)
    return places.round().long().clamp(max=length - 1)


class ClipBatches(Chunks):
    """The batches of an epoch: every training sample once, in an order of the epoch's own.

    What is drawn for a sample depends on the seed, the epoch and the sample alone, so that a run
    that is resumed sees the same clips. A clip longer than ``window`` comes in pieces, with the
    state carried from one to the next; a new clip begins with a fresh state.

    Shapes: x [B, T, ...], targets [B].
    Args:
        clips: the samples.
        numbers: of those that are learnt from.
        options: what is varied.
        batch_size: B.
        window: frames from one update to the next.
        seed: of the order and of what is varied.
    """

    def __init__(
        self,
        clips: Clips,
        numbers: Sequence[int],
        options: VideoOptions,
        *,
        batch_size: int,
        window: int,
        seed: int,
    ) -> None:
        self.clips, self.numbers, self.options = clips, list(numbers), options
        self.batch_size = min(batch_size, len(self.numbers))
        self.window, self.seed = window, seed
        self._pieces = -(-clips.clip_frames // window)
        self._epoch, self._order = 0, list(self.numbers)
        self._at: tuple[int, Tensor, Tensor] | None = None
        self.begin_epoch(0)

    def begin_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch."""
        self._order = epoch_order(self.numbers, seed=self.seed, epoch=epoch)
        self._epoch, self._at = epoch, None

    def __len__(self) -> int:
        return self._pieces * -(-len(self.numbers) // self.batch_size)

    def _chunk(self, number: int) -> Chunk:
        batch, piece = divmod(number, self._pieces)
        x, target = self._batch(batch)
        window = slice(piece * self.window, (piece + 1) * self.window)
        return Chunk(x[:, window], target, number, fresh=piece == 0)

    def _batch(self, batch: int) -> tuple[Tensor, Tensor]:
        if self._at is None or self._at[0] != batch:
            chosen = self._order[batch * self.batch_size : (batch + 1) * self.batch_size]
            drawn = [self._drawn(number) for number in chosen]
            x = self.clips.preprocessing.normalize(torch.stack(drawn))
            labels = [self.clips.data.samples[number].label for number in chosen]
            self._at = batch, x, torch.tensor(labels)
        return self._at[1:]

    def _drawn(self, number: int) -> Tensor:
        draws = Random(mixed_seed(self.seed, self._epoch, number))  # begins faster than torch's
        return self.clips.drawn(number, self.options, draws)
