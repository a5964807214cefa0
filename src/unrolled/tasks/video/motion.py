"""What a video model's accuracy owes to motion."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from unrolled.diagnostics.motion import MotionDiagnosis, diagnose_motion
from unrolled.state import device_of
from unrolled.tasks.learning import Show
from unrolled.tasks.video.data import VideoData
from unrolled.tasks.video.evaluation import Chosen, choose_clips
from unrolled.tasks.video.model import VideoModel, averaged
from unrolled.tasks.video.networks import as_recurrence
from unrolled.tasks.video.options import VideoOptions
from unrolled.training.modes import evaluating

_AT_A_TIME = 32  # clips


def diagnose_data(
    model: VideoModel,
    source: str | VideoData,
    *,
    part: str | None = None,
    reading: VideoOptions | None = None,
    seed: int = 0,
    show: Show = lambda *_: None,
) -> MotionDiagnosis:
    """Measure a model on the middle clip of each sample, its frames shown in every way.

    Args:
        model: a trained model; a network over whole clips may refuse a single frame.
        source: data, as for ``evaluate_data``.
        part: of it.
        reading: how the data is found, where not as the model's own was.
        seed: of the shuffled frames.
        show: is told how far it is.
    Raises:
        ReaderError: there is nothing to score.
        ConfigError: no such part.
    """
    chosen = choose_clips(model, source, part=part, reading=reading, show=show)
    with evaluating(model.network):
        return diagnose_motion(
            partial(_scores, model),
            _batches(chosen, show),
            class_names=model.class_names,
            seed=seed,
        )


def _batches(chosen: Chosen, show: Show) -> Iterator[tuple[Tensor, Tensor]]:
    labels = torch.tensor(chosen.labels)
    for numbers in torch.arange(len(labels)).split(_AT_A_TIME):
        show(float(numbers[0]) / len(labels), "motion")
        views = [chosen.clips.views(int(number), clips=1, crops=1) for number in numbers]
        yield torch.cat(views), labels[numbers]


def _scores(model: VideoModel, clips: Tensor) -> Tensor:
    """Return probabilities ``[B, classes]`` of clips of any length."""
    shape = clips.shape[1:]
    whole = shape[0] == model.clip_frames
    driven = model.driven if whole else as_recurrence(model.network, shape, len(model.class_names))
    logits = driven(clips.to(device_of(model.network)))[0].cpu()
    return torch.stack([averaged(rows[None], model.reading.average) for rows in logits])
