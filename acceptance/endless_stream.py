"""A stream has no end: 200,000 frames through a network, and it holds no more than at the start.

    python -m acceptance.endless_stream [--frames 200000] [--families recurrent,causal,window]

Three families label frames of 32 x 32 as `unrolled stream` does, one after the other, each in a
process of its own: a recurrent network, causal 3D convolutions, and a window that slides over a
network for clips. After a tenth of the frames as a warm-up the process may grow by 1 MB at most,
and hold no more tensors, threads and open files than before. The broken twin keeps every frame.
"""

import argparse
import gc
import multiprocessing
import os
import statistics
import sys
import threading
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from acceptance.verdict import conclude
from unrolled.cells import GRU
from unrolled.layers import Linear, PerFrame, Serial
from unrolled.models import CausalSmall
from unrolled.streaming import EventDetector, Labeller

CLASSES = ("a", "b", "c", "background")
SIZE, CLIP_FRAMES = 32, 8
MEGABYTE = 2**20
FRAMES_A_SECOND = 10
KEPT_FRAMES = 64  # that the stream turns round in


class OverClips(nn.Module):
    """A small 3D convolution over whole clips."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(3, 4, 3, stride=(2, 4, 4))
        self.linear = nn.Linear(4, len(CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """Score clips [B, T, C, H, W]."""
        maps: Tensor = self.linear(self.conv(x.transpose(1, 2)).relu().mean((2, 3, 4)))
        return maps


def recurrent() -> nn.Module:
    """Return a CNN read by a GRU."""
    cnn = nn.Sequential(nn.Conv2d(3, 4, 5, stride=4), nn.ReLU(), nn.Flatten())
    return Serial(PerFrame(cnn), GRU(4 * 7 * 7, 16), Linear(16, len(CLASSES)))


def causal() -> nn.Module:
    """Return causal 3D convolutions read by a GRU: the default of the video task, small."""
    return CausalSmall(len(CLASSES), widths=(4, 8), hidden_size=16)


FAMILIES: dict[str, Callable[[], nn.Module]] = {
    "recurrent": recurrent,
    "causal": causal,
    "window": OverClips,
}


def stream(family: str, frames: int, *, hoard: bool) -> dict[str, Any]:
    """Label frames, and say what the process held after a tenth of them and at the end."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = FAMILIES[family]().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(3)  # strong opinions, so that there are events
    labeller = Labeller(network, lambda frames: frames / 255 - 0.5, clip_frames=CLIP_FRAMES)
    detector = EventDetector(CLASSES, hold_seconds=0.3)
    film = torch.randint(0, 256, (KEPT_FRAMES, 1, 3, SIZE, SIZE), dtype=torch.uint8)
    film[KEPT_FRAMES // 2 :] //= 8  # light and dark by turns, so that something happens
    hoarded: list[Tensor] = []
    times = array("d", bytes(8 * frames))
    events, before = 0, held()
    for number in range(frames):
        began = time.perf_counter()
        found = labeller.push(film[number % KEPT_FRAMES])
        assert found is not None
        events += detector.update(number / FRAMES_A_SECOND, found[0].tolist()) is not None
        if hoard:
            hoarded.append(film[number % KEPT_FRAMES].clone())
        times[number] = time.perf_counter() - began
        if number == frames // 10:
            before = held()
    after, tenth = held(), frames // 10
    return {
        "growth_bytes": after["bytes"] - before["bytes"],
        "more": {k: after[k] - before[k] for k in before if k != "bytes"},
        "events": events + (detector.finish(frames / FRAMES_A_SECOND) is not None),
        "median_milliseconds": 1000 * statistics.median(times),
        "slower": statistics.median(times[-tenth:]) / statistics.median(times[:tenth]),
    }


def held() -> dict[str, int]:
    """Return what this process holds."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "bytes": pages * os.sysconf("SC_PAGE_SIZE"),
        "tensors": sum(issubclass(type(one), Tensor) for one in gc.get_objects()),
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")),
    }


def in_a_process(family: str, frames: int, *, hoard: bool = False) -> dict[str, Any]:
    """Run ``stream`` in a process of its own."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        found: dict[str, Any] = pool.apply(stream, (family, frames), {"hoard": hoard})
    return found


def faults(family: str, figures: dict[str, Any]) -> list[str]:
    """Return what of the promise a stream broke."""
    found = [f"{family}: {n} more {kind}" for kind, n in figures["more"].items() if n > 0]
    if figures["growth_bytes"] > MEGABYTE:
        found.append(f"{family}: grew by {figures['growth_bytes'] / MEGABYTE:.2f} MB")
    return found


def main() -> int:
    """Run the proof and its broken twin."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=200_000)
    parser.add_argument("--families", default=",".join(FAMILIES))
    options = parser.parse_args()
    began, failures, figures = time.monotonic(), [], {}
    for family in options.families.split(","):
        figures[family] = in_a_process(family, options.frames)
        print(f"{family}: {figures[family]}", file=sys.stderr)
        failures += faults(family, figures[family])
    twin_frames = min(options.frames, 2000)
    twin = faults("twin", in_a_process("recurrent", twin_frames, hoard=True))
    return conclude(
        "endless_stream",
        options.frames * len(figures),
        failures,
        began=began,
        figures=figures,
        control_failed=bool(twin),
        exercised=all(one["events"] > 0 for one in figures.values()),
    )


if __name__ == "__main__":
    raise SystemExit(main())
