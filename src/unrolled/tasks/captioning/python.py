"""The captioning task from Python, as the command line does it."""

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from unrolled.errors import ConfigError
from unrolled.tasks.captioning.learning_options import (
    CaptioningTrainingOptions,
    DescribingOptions,
)
from unrolled.tasks.captioning.model import CaptioningModel
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.captioning.run import begin, finish, reopen
from unrolled.tasks.learning import silence
from unrolled.training.options import TrainingOptions


def train_captioning(
    data: str | Path,
    model: object,
    options: dict[str, Any] | None,
    out: str | Path | None,
    reading: CaptioningOptions,
    describing: DescribingOptions,
    training: TrainingOptions,
) -> CaptioningModel:
    """Train a model on captions, keep it in a run folder, and return it; see ``unrolled.train``."""
    if not isinstance(data, str | Path):
        raise ConfigError("a file of captions, or world", type(data).__name__)
    if not isinstance(model, str):
        cure = "unrolled.register a class of yours under a name"
        raise ConfigError("the name of a model that describes", type(model).__name__, cure)
    known = {field.name for field in fields(CaptioningTrainingOptions)}
    request = {
        "data": str(data),
        "model": model,
        "options": options or {},
        "reading": asdict(reading),
        "describing": asdict(describing),
        "training": {key: value for key, value in asdict(training).items() if key in known},
    }
    learning, folder = begin(None if out is None else Path(out), request, silence)
    learning.training.run()
    finish(learning, folder)
    return learning.model


def resume_captioning(run: str | Path) -> CaptioningModel:
    """Go on with a run that was stopped, to its end; see ``unrolled.resume``."""
    learning, folder = reopen(Path(run), silence)
    learning.training.run()
    finish(learning, folder)
    return learning.model
