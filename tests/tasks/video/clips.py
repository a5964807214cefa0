"""Tiny samples in memory, for the tests of the video task."""

import hashlib

import torch
from torch import Tensor, nn

from unrolled.tasks.video.data import Sample, VideoData
from unrolled.tasks.video.options import VideoOptions, VideoTrainingOptions

FRAMES, SIZE = 5, 8
READING = VideoOptions(
    split="60/20/20", clip_frames=FRAMES, height=SIZE, width=SIZE, crop=False, test_clips=2
)
TRAINING = VideoTrainingOptions(
    epochs=2, batch_size=4, checkpoint_seconds=0.0, threads=1, learning_rate=1e-2
)


def clip(number: int) -> Tensor:
    """Draw a clip that grows darker (class 0) or brighter (class 1)."""
    draws = torch.Generator().manual_seed(number)
    picture = torch.randint(60, 180, (1, 3, SIZE + 1, SIZE + 3), generator=draws)
    slope = 15 if number % 2 else -15
    steps = slope * torch.arange(FRAMES + number % 3)[:, None, None, None]
    return (picture + steps).clamp(0, 255).to(torch.uint8)


def samples(count: int = 20, *, vectors: bool = False) -> VideoData:
    """Return labelled clips, or the mean colours of their frames."""
    found = tuple(
        Sample(f"clip {n}", n % 2, f"source {n}", hashlib.sha256(bytes([n])).hexdigest())
        for n in range(count)
    )

    def read(number: int) -> Tensor:
        frames = clip(number)
        return frames.float().mean((2, 3)) / 255 if vectors else frames

    return VideoData("memory", ("darker", "brighter"), found, read, None if vectors else 5.0)


class WholeClip(nn.Module):
    """A network over whole clips, no recurrence."""

    def __init__(self, class_count: int = 2, clip_frames: int = FRAMES) -> None:
        super().__init__()
        self.fc = nn.Linear(clip_frames * 3, class_count)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[B, classes]`` of clips ``[B, T, C, H, W]``."""
        return self.fc(x.mean((-2, -1)).flatten(1))


class EveryFrame(nn.Module):
    """A network over pictures."""

    def __init__(self, class_count: int = 2) -> None:
        super().__init__()
        self.fc = nn.Linear(3, class_count)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[..., classes]`` of pictures ``[..., C, H, W]``."""
        return self.fc(x.mean((-2, -1)))
