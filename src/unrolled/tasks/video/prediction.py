"""What a video model sees in videos, pictures and sequences that nobody has labelled."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from unrolled.errors import ReaderError, UnrolledError
from unrolled.readers.video_sets import VideoItem
from unrolled.tasks.video.clips import Clips
from unrolled.tasks.video.data import Sample, VideoData, read_item
from unrolled.tasks.video.model import VideoModel, clip_probabilities
from unrolled.tasks.video.options import DEFAULT_FRAMES_PER_SECOND, Average
from unrolled.tasks.video.preprocessing import Preprocessing
from unrolled.training.modes import evaluating

_PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


@dataclass(frozen=True)
class Guess:
    """A class, and how likely it is."""

    label: str
    probability: float


@dataclass(frozen=True)
class VideoPrediction:
    """What one file shows.

    Args:
        source: the file.
        guesses: the likeliest classes, best first; none where it cannot be read.
        fault: why it cannot be read, or "".
    """

    source: str
    guesses: list[Guess]
    fault: str = ""

    def figures(self) -> dict[str, Any]:
        """Return the figures for a report."""
        return asdict(self)


def predict(
    model: VideoModel,
    sources: Sequence[str | Path],
    *,
    count: int = 5,
    average: Average | None = None,
) -> list[VideoPrediction]:
    """Say what videos, pictures or sequences show; what cannot be read is told, not raised.

    Args:
        model: a trained model.
        sources: files.
        count: how many of the likeliest classes to name.
        average: what is averaged over clips, parts and frames; None for the model's own.
    """
    return [_predicted(model, str(source), count, average) for source in sources]


def _predicted(
    model: VideoModel, source: str, count: int, average: Average | None
) -> VideoPrediction:
    try:
        frames = read_source(model, source)
        probabilities = probabilities_of(model, frames, average=average)
    except UnrolledError as error:
        return VideoPrediction(source, [], str(error))
    best = probabilities.topk(min(count, len(model.class_names)))
    pairs = zip(best.values.tolist(), best.indices.tolist(), strict=True)
    return VideoPrediction(source, [Guess(model.class_names[k], value) for value, k in pairs])


def probabilities_of(
    model: VideoModel, frames: Tensor, *, average: Average | None = None
) -> Tensor:
    """Return the probability of every class ``[classes]``.

    Args:
        model: a trained model.
        frames: at the model's rate, uint8 ``[T, C, H, W]`` of any size, or float ``[T, D]``.
        average: what is averaged; None for the model's own.
    """
    resized = model.preprocessing.resized(frames)
    sample = Sample("", 0, "", "")
    data = VideoData("", model.class_names, (sample,), lambda _: resized, None)
    reading = model.reading
    with evaluating(model.driven):
        found = clip_probabilities(
            model.driven,
            Clips(data, model.preprocessing, reading.clip_frames),
            [0],
            views=(reading.test_clips, reading.test_crops),
            average=average or reading.average,
        )
    return found[0]


def read_source(model: VideoModel, source: str) -> Tensor:
    """Return the frames of a video, a picture (as one frame) or a sequence, at a model's rate.

    Raises:
        ReaderError: it cannot be read.
    """
    path = Path(source)
    if isinstance(model.preprocessing, Preprocessing) and path.suffix.lower() in _PICTURES:
        return _picture(path)[None]
    rate = model.preprocessing.frames_per_second or DEFAULT_FRAMES_PER_SECOND
    return read_item(VideoItem(path, "", None, None, ""), rate, model.reading)


def _picture(path: Path) -> Tensor:
    try:
        with Image.open(path) as image:
            values = np.array(image.convert("RGB"))
    except FileNotFoundError:
        raise ReaderError(f"a picture at {path}", "nothing there") from None
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else "an error"
        raise ReaderError(f"a picture in {path}", reason) from None
    return torch.from_numpy(values).permute(2, 0, 1)
