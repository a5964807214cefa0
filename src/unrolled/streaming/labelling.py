"""The loop of a live video: a frame comes, a label goes out."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from jaxtyping import UInt8
from torch import Tensor

from unrolled.readers.live_source import LiveFrame
from unrolled.streaming.labeller import Labeller


class FrameLabel(NamedTuple):
    """What is said of one frame.

    Args:
        seconds: when it was shown, from the first frame of the source.
        label: the likeliest class.
        probability: of it.
        compute_milliseconds: what preparing the frame and the network took.
        behind_milliseconds: how long after its time the label came; for a recording, as if it had
            begun to play with its first frame.
        skipped: frames left out before this one, because a newer one was there.
        probabilities: of every class.
        pixels: the frame as it came, ``[C, H, W]``.
    """

    seconds: float
    label: str
    probability: float
    compute_milliseconds: float
    behind_milliseconds: float
    skipped: int
    probabilities: tuple[float, ...]
    pixels: UInt8[Tensor, "C H W"]

    def figures(self) -> dict[str, float | int | str]:
        """Return what one line of output says."""
        return {
            "seconds": round(self.seconds, 3),
            "label": self.label,
            "probability": round(self.probability, 4),
            "compute_milliseconds": round(self.compute_milliseconds, 2),
            "behind_milliseconds": round(self.behind_milliseconds, 1),
            "skipped": self.skipped,
        }


def label_frames(
    labeller: Labeller,
    class_names: Sequence[str],
    source: Iterable[LiveFrame],
    *,
    pace: bool = False,
) -> Iterator[FrameLabel]:
    """Label the frames of one source as they come.

    Args:
        labeller: at the beginning of a video.
        class_names: in the order of its probabilities.
        source: frames at the rate of the network, as ``open_source`` gives them.
        pace: wait for the time of each frame, as a player does.
    """
    for frame in source:
        if pace:
            time.sleep(max(0.0, frame.due_seconds - time.monotonic()))
        began = time.perf_counter()
        found = labeller.push(frame.pixels[None])
        if found is None:
            continue
        probabilities = tuple(found[0].tolist())
        took = time.perf_counter() - began
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        yield FrameLabel(
            seconds=frame.seconds,
            label=class_names[best],
            probability=probabilities[best],
            compute_milliseconds=1000 * took,
            behind_milliseconds=max(0.0, 1000 * (time.monotonic() - frame.due_seconds)),
            skipped=frame.skipped,
            probabilities=probabilities,
            pixels=frame.pixels,
        )
