"""Training on clips joined with idle stretches, so that the state of an hour ago is nothing new."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from torch import Tensor

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.joined_clips import (
    Idle,
    Stretch,
    gaps,
    hold_last,
    joined_clips,
    play_background,
    windows,
)
from unrolled.readers.video import probe, read_clip
from unrolled.readers.video_items import VIDEO_SUFFIXES, VideoItem
from unrolled.readers.video_sets import read_video_set
from unrolled.tasks.loading import Chunks
from unrolled.tasks.video.clips import Clips
from unrolled.tasks.video.options import VideoOptions
from unrolled.tasks.video.preprocessing import Preprocessing
from unrolled.training.truncated_bptt import Chunk

BACKGROUND = "background"  # the class of frames in which nothing happens
STILL = "still"  # what --background calls idle stretches in which the last frame stands
GAPS = "gaps"  # and those made of what no label is for
_ROUND_WINDOWS = 10  # that state is carried over in training, before rows begin anew
_SEED_BITS = 62


def idle_frames(clip_frames: int) -> tuple[int, int]:
    """Return the least and the most of an idle stretch: half a clip to two."""
    return max(1, clip_frames // 2), 2 * clip_frames


def with_background(class_names: Sequence[str], options: VideoOptions) -> tuple[str, ...]:
    """Return the classes of a model: the data's, and the background where it is learnt."""
    if options.background is None or BACKGROUND in class_names:
        return tuple(class_names)
    return (*class_names, BACKGROUND)


def read_background(name: str, clips: Clips, numbers: Sequence[int]) -> Idle:
    """Return what idle stretches are made of.

    Args:
        name: ``still``; ``gaps``, what of the videos no label is for; or a folder of videos in
            which nothing of interest happens.
        clips: which say where the data is, and how frames are resized and cut.
        numbers: of the samples, whose sources are the ones whose gaps may be used.
    Raises:
        ConfigError: videos beside data that is none.
        ReaderError: there is no such video, or no gap.
    """
    if name == STILL:
        return hold_last
    preprocessing = clips.preprocessing
    if not isinstance(preprocessing, Preprocessing):
        raise ConfigError(f"--background {STILL} with sequences of vectors", repr(name))
    groups = {clips.data.samples[n].group for n in numbers}
    items = _gaps(clips.data.source, groups) if name == GAPS else _videos(Path(name))
    rate, frames = preprocessing.frames_per_second, []
    for item in items:
        clip = read_clip(
            item.path,
            start_seconds=item.start_seconds,
            stop_seconds=item.stop_seconds,
            frames_per_second=rate,
        )
        frames.append(preprocessing.cut(preprocessing.resized(clip.frames)).contiguous())
    return play_background(frames)


def _videos(folder: Path) -> list[VideoItem]:
    paths = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in VIDEO_SUFFIXES]
    if not paths:
        got = "no video in it" if folder.is_dir() else "nothing there"
        cure = f"name a folder of videos, {GAPS}, or {STILL}"
        raise ReaderError(f"videos of background in {folder}", got, cure)
    return [VideoItem(path, "", None, None, str(path)) for path in paths]


def _gaps(source: str, groups: set[str]) -> list[VideoItem]:
    if not Path(source).exists():
        raise ReaderError("videos with stretches that have labels", source, f"take {STILL}")
    items = [item for item in read_video_set(source).items if item.group in groups]
    found = gaps(items, lambda path: probe(path).duration_seconds)
    if not found:
        got = "none: every video has one label for all of it"
        raise ReaderError(
            f"gaps between labels in {source}", got, f"name a folder, or take {STILL}"
        )
    return found


class JoinedBatches(Chunks):
    """The windows of an epoch: rows of clips joined with idle stretches, the state carried.

    Rows begin anew every 10 windows, at a clip, so that a first frame stays nothing unusual. What
    is drawn depends on the seed, the epoch and the place alone; in an epoch each sample comes about
    once.

    Shapes: x [B, T, ...], targets [B, T].
    Args:
        clips: the samples.
        numbers: of those that are learnt from.
        options: what is varied.
        idle: what idle stretches are made of.
        background: the label of their frames.
        batch_size: B.
        window: T, frames from one update to the next.
        seed: of the order and of what is varied.
    """

    def __init__(
        self,
        clips: Clips,
        numbers: Sequence[int],
        options: VideoOptions,
        *,
        idle: Idle,
        background: int,
        batch_size: int,
        window: int,
        seed: int,
    ) -> None:
        self.clips, self.numbers, self.options = clips, list(numbers), options
        self.idle, self.background = idle, background
        self.batch_size, self.window, self.seed = min(batch_size, len(numbers)), window, seed
        least, most = idle_frames(clips.clip_frames)
        turn = clips.clip_frames + (least + most) // 2  # frames of a clip and what comes before it
        self._length = max(1, round(len(self.numbers) * turn / (self.batch_size * window)))
        self._clips_a_row = -(-_ROUND_WINDOWS * window // turn)
        self._epoch, self._next = 0, 0
        self._windows: Iterator[tuple[Tensor, Tensor]] = iter(())

    def begin_epoch(self, epoch: int) -> None:
        """Choose what comes in an epoch."""
        self._epoch, self._next = epoch, 0

    def __len__(self) -> int:
        return self._length

    def _chunk(self, number: int) -> Chunk:
        start = number // _ROUND_WINDOWS * _ROUND_WINDOWS
        if number < self._next or start >= self._next:
            self._begin_round(start)
        while True:  # windows of a round come in their order; one in its middle after those before
            frames, target = next(self._windows)
            self._next += 1
            if self._next == number + 1:
                break
        x = self.clips.preprocessing.normalize(frames)
        return Chunk(x, target, number, fresh=number == start)

    def _begin_round(self, start: int) -> None:
        self._next = start
        order = list(self.numbers)
        random.Random(f"{self.seed} {self._epoch}").shuffle(order)
        first = start // _ROUND_WINDOWS * self.batch_size * self._clips_a_row
        rows = []
        for row in range(self.batch_size):
            places = range(first + row * self._clips_a_row, first + (row + 1) * self._clips_a_row)
            rows.append(self._row([order[place % len(order)] for place in places], start, row))
        self._windows = windows(rows, self.window)

    def _row(self, numbers: Sequence[int], start: int, row: int) -> Iterator[Stretch]:
        def clip(place: int, draws: random.Random) -> Tensor:
            return self.clips.drawn(numbers[place], self.options, draws)

        return joined_clips(
            clip,
            [self.clips.data.samples[n].label for n in numbers],
            idle=self.idle,
            idle_frames=idle_frames(self.clips.clip_frames),
            background=self.background,
            seed=random.Random(f"{self.seed} {self._epoch} {start} {row}").getrandbits(_SEED_BITS),
            idle_first=False,
        )
