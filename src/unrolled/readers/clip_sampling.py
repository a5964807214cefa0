"""Which frames of a video a network is shown: one place at random, or several that cover it."""

from collections.abc import Sequence

import torch
from jaxtyping import UInt8
from torch import Generator, Tensor

from unrolled.errors import ConfigError
from unrolled.readers.clip import Clip


def random_start(frame_count: int, clip_frames: int, generator: Generator) -> int:
    """Return where a clip begins, any place alike; 0 where the video is not longer than the clip.

    Args:
        frame_count: of the video, at the clip's frame rate.
        clip_frames: of the clip.
        generator: that it is drawn from.
    Example:
        >>> random_start(20, 16, Generator().manual_seed(0)) in range(5)
        True
    """
    places = max(frame_count - clip_frames, 0) + 1
    return int(torch.randint(places, (), generator=generator))


def spread_starts(frame_count: int, clip_frames: int, clip_count: int) -> list[int]:
    """Return where clips begin that are spread evenly from the first frame to the last.

    One clip alone is the middle one.

    Raises:
        ConfigError: no clip, or clips of no frame.
    Example:
        >>> spread_starts(20, 16, 3), spread_starts(20, 16, 1), spread_starts(10, 16, 2)
        ([0, 2, 4], [2], [0, 0])
    """
    if min(clip_count, clip_frames) < 1:
        raise ConfigError("clips and frames of at least 1", f"{clip_count} and {clip_frames}")
    last = max(frame_count - clip_frames, 0)
    if clip_count == 1:
        return [last // 2]
    return [round(last * number / (clip_count - 1)) for number in range(clip_count)]


def stretch(clip: Clip, start: int, clip_frames: int) -> Clip:
    """Return some frames of a clip; past its end the last frame is held.

    Args:
        clip: at the wanted frame rate.
        start: the first frame.
        clip_frames: how many.
    """
    places = torch.arange(start, start + clip_frames).clamp_(max=len(clip.frames) - 1)
    return Clip(clip.frames[places], clip.pts_seconds[places])


def random_crop(
    frames: UInt8[Tensor, "T C H W"], height: int, width: int, generator: Generator
) -> UInt8[Tensor, "T C h w"]:
    """Cut one window at a random place out of all frames.

    Raises:
        ConfigError: the window is larger than the frames.
    """
    room = _room(frames, height, width)
    top, left = (int(torch.randint(r + 1, (), generator=generator)) for r in room)
    return frames[..., top : top + height, left : left + width]


def spread_crops(
    frames: UInt8[Tensor, "T C H W"], height: int, width: int, crop_count: int
) -> UInt8[Tensor, "N T C h w"]:
    """Cut windows that cover the frames: 1 in the middle, 3 along the longer side, 5 with corners.

    Raises:
        ConfigError: another number of crops, or a window larger than the frames.
    Example:
        >>> spread_crops(torch.zeros(2, 3, 8, 16, dtype=torch.uint8), 8, 8, 3).shape
        torch.Size([3, 2, 3, 8, 8])
    """
    down, right = _room(frames, height, width)
    middle = (down // 2, right // 2)
    ends = (
        [(0, middle[1]), (down, middle[1])]
        if down > right
        else [(middle[0], 0), (middle[0], right)]
    )
    places: dict[int, Sequence[tuple[int, int]]] = {
        1: [middle],
        3: [ends[0], middle, ends[1]],
        5: [(0, 0), (0, right), middle, (down, 0), (down, right)],
    }
    if crop_count not in places:
        raise ConfigError("1, 3 or 5 crops", str(crop_count))
    windows = [frames[..., t : t + height, n : n + width] for t, n in places[crop_count]]
    return torch.stack(windows)


def _room(frames: Tensor, height: int, width: int) -> tuple[int, int]:
    down, right = frames.shape[-2] - height, frames.shape[-1] - width
    if min(down, right) < 0 or min(height, width) < 1:
        got = f"{height} x {width} of frames {frames.shape[-2]} x {frames.shape[-1]}"
        raise ConfigError("a window within the frames", got, "resize to a larger size first")
    return down, right
