"""The video task from Python, as the command line does it."""

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from unrolled.errors import ConfigError
from unrolled.tasks.learning import silence
from unrolled.tasks.video.configuration import VIDEO_CONFIGURATION
from unrolled.tasks.video.data import VideoData, read_video_data
from unrolled.tasks.video.model import VideoModel
from unrolled.tasks.video.networks import Network
from unrolled.tasks.video.options import VideoOptions, VideoTrainingOptions
from unrolled.tasks.video.run import Given, begin, finish, reopen
from unrolled.training.configuration import expand_path
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import CONFIGURATION


def train_video(
    data: str | Path | VideoData,
    model: str | Network,
    options: dict[str, Any] | None,
    out: str | Path | None,
    reading: VideoOptions,
    training: TrainingOptions,
) -> VideoModel:
    """Train a model on clips, keep it in a run folder, and return it; see ``unrolled.train``."""
    if not isinstance(data, str | Path | VideoData):
        raise ConfigError("a path, or VideoData", type(data).__name__)
    named = isinstance(model, str)
    known = {field.name for field in fields(VideoTrainingOptions)}
    request = {
        "data": None if isinstance(data, VideoData) else str(data),
        "model": model if named else None,
        "options": options or {},
        "reading": asdict(reading),
        "training": {key: value for key, value in asdict(training).items() if key in known},
    }
    given = Given(
        network=None if isinstance(model, str) else model,
        data=data if isinstance(data, VideoData) else None,
    )
    learning, folder = begin(None if out is None else Path(out), request, silence, given=given)
    learning.training.run()
    finish(learning, folder)
    return learning.model


def resume_video(
    run: str | Path, model: Network | None = None, data: str | Path | VideoData | None = None
) -> VideoModel:
    """Go on with a run that was stopped, to its end; see ``unrolled.resume``."""
    if isinstance(data, str | Path):
        reading = VideoOptions(
            **VIDEO_CONFIGURATION.read_request(Path(run) / CONFIGURATION)["reading"]
        )
        data = read_video_data(expand_path(str(data)), reading)
    learning, folder = reopen(Path(run), silence, Given(network=model, data=data))
    learning.training.run()
    finish(learning, folder)
    return learning.model
