"""A small network over frames that streams, and one over clips that does not."""

import torch
from torch import Tensor, nn

from unrolled.cells import GRU
from unrolled.layers import Linear, PerFrame, Serial

CLASSES = ("wave", "clap", "-")


def prepare(frames: Tensor) -> Tensor:
    return frames.float() / 255


def recurrent() -> Serial:
    """Return a CNN read by a GRU, for frames of any size, with opinions."""
    cnn = nn.Sequential(
        nn.Conv2d(3, 5, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten()
    )
    network = Serial(PerFrame(cnn), GRU(20, 7), Linear(7, len(CLASSES)))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(3)
    return network.eval()


class OverClips(nn.Module):
    """Scores [B, T, C, H, W] by the mean of the last frame less that of the first."""

    def forward(self, x: Tensor) -> Tensor:
        moved = x[:, -1].mean((1, 2, 3)) - x[:, 0].mean((1, 2, 3))
        return torch.stack([moved, -moved, torch.zeros_like(moved)], 1)
