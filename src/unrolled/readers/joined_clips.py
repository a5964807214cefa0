"""Clips joined with idle stretches: long sequences, with a label for every frame."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Int64
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.readers.video_items import VideoItem


class Stretch(NamedTuple):
    """Frames that have one label.

    Args:
        frames: ``[T, ...]``.
        label: of each of them.
    """

    frames: Tensor
    label: int


Idle = Callable[[Tensor, int, random.Random], Tensor]  # the frames before, how many, draws


def joined_clips(
    clip: Callable[[int, random.Random], Tensor],
    labels: Sequence[int],
    *,
    idle: Idle | None,
    idle_frames: tuple[int, int],
    background: int,
    seed: int,
    idle_first: bool = True,
) -> Iterator[Stretch]:
    """Yield clips and idle stretches by turns, without end.

    Every clip comes once before any comes again, each time in another order. All is decided by the
    seed.

    Args:
        clip: gives the frames ``[T, ...]`` of the clip of a number.
        labels: of the clips, by number.
        idle: gives the frames of an idle stretch, such as ``hold_last``; None joins clips alone.
        idle_frames: the least and the most of an idle stretch.
        background: the label of idle frames.
        seed: of the order, the lengths and whatever ``clip`` and ``idle`` draw.
        idle_first: begin with an idle stretch, made of the first frame of the first clip.
    Raises:
        ConfigError: no clips, or lengths that are none.
    Example:
        >>> moving = lambda number, draws: torch.full((3, 1), float(number))
        >>> joined = joined_clips(
        ...     moving, [5, 6], idle=hold_last, idle_frames=(2, 2), background=9, seed=0
        ... )
        >>> [next(joined).label for _ in range(4)][::2]
        [9, 9]
    """
    least, most = idle_frames
    if not labels:
        raise ConfigError("at least one clip to join", "none")
    if idle is not None and not 1 <= least <= most:
        raise ConfigError("idle stretches of 1 frame or more", f"{least} to {most}")
    draws = random.Random(seed)
    before: Tensor | None = None
    while True:
        for number in draws.sample(range(len(labels)), len(labels)):
            frames = clip(number, draws)
            if idle is not None and (before is not None or idle_first):
                count = draws.randint(least, most)
                yield Stretch(
                    idle(frames[:1] if before is None else before, count, draws), background
                )
            yield Stretch(frames, labels[number])
            before = frames


def hold_last(before: Tensor, count: int, _draws: random.Random) -> Tensor:
    """Return an idle stretch in which nothing moves: the last frame before it, held."""
    return before[-1:].expand(count, *before.shape[1:])


def play_background(background: Sequence[Tensor]) -> Idle:
    """Return what plays idle stretches from sequences in which nothing of interest happens.

    A stretch begins anywhere in any of them; one that is too short for it plays back and forth.

    Args:
        background: sequences ``[T, ...]``, of the frames' size.
    """
    if not background:
        raise ConfigError("at least one sequence of background", "none")

    def idle(_before: Tensor, count: int, draws: random.Random) -> Tensor:
        frames = background[draws.randrange(len(background))]
        start = draws.randrange(max(1, len(frames) - count + 1))
        return frames[_back_and_forth(start, count, len(frames))]

    return idle


def windows(
    joins: Sequence[Iterator[Stretch]], num_frames: int
) -> Iterator[tuple[Tensor, Int64[Tensor, "B T"]]]:
    """Cut joined clips into windows, side by side: frames ``[B, T, ...]`` and labels ``[B, T]``.

    Each window goes on where the last one ended, in every row. It ends with the first row to end.

    Args:
        joins: B of them.
        num_frames: T.
    """
    rows = [_cut(join, num_frames) for join in joins]
    for pieces in zip(*rows, strict=False):
        yield torch.stack([frames for frames, _ in pieces]), torch.stack([t for _, t in pieces])


def gaps(
    items: Sequence[VideoItem],
    duration_seconds: Callable[[Path], float],
    *,
    margin_seconds: float = 0.5,
    least_seconds: float = 1.0,
) -> list[VideoItem]:
    """Return what of the videos no label is for: before, between and after their stretches.

    Args:
        items: stretches of videos; a video that is an item as a whole has no gap.
        duration_seconds: how long a video is.
        margin_seconds: beside a stretch that is left out, since its ends are seldom exact.
        least_seconds: shorter gaps are left out.
    Example:
        >>> stretch = VideoItem(Path("a.mp4"), "wave", 10.0, 14.0, "a")
        >>> [(gap.start_seconds, gap.stop_seconds) for gap in gaps([stretch], lambda _: 30.0)]
        [(0.0, 9.5), (14.5, 30.0)]
    """
    found = []
    for path in dict.fromkeys(item.path for item in items):
        end, duration = 0.0, duration_seconds(path)
        mine = [item for item in items if item.path == path]
        for item in sorted(mine, key=lambda item: item.start_seconds or 0.0):
            start = (item.start_seconds or 0.0) - margin_seconds
            if start - end >= least_seconds:
                found.append(VideoItem(path, "", end, start, item.group, item.part))
            stop = duration if item.stop_seconds is None else item.stop_seconds
            end = max(end, stop + margin_seconds)
        if duration - end >= least_seconds:
            found.append(VideoItem(path, "", end, duration, mine[0].group, mine[0].part))
    return found


def _cut(join: Iterator[Stretch], num_frames: int) -> Iterator[tuple[Tensor, Tensor]]:
    frames: list[Tensor] = []
    labels: list[Tensor] = []
    count = 0
    for stretch in join:
        frames.append(stretch.frames)
        labels.append(torch.full((len(stretch.frames),), stretch.label))
        count += len(stretch.frames)
        while count >= num_frames:
            whole, target = torch.cat(frames), torch.cat(labels)
            yield whole[:num_frames], target[:num_frames]
            frames, labels = [whole[num_frames:]], [target[num_frames:]]
            count -= num_frames


def _back_and_forth(start: int, count: int, length: int) -> Tensor:
    """Return indexes that turn round at both ends, as 0 1 2 1 0 1 ... does."""
    period = max(1, 2 * (length - 1))
    places = (start + torch.arange(count)) % period
    return torch.minimum(places, period - places).clamp(max=length - 1)
