"""Training and loading from Python, as the command line does; for every task."""

from pathlib import Path
from typing import Any, Literal, TypeVar, overload

from torch import nn

from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence
from unrolled.tasks.captioning.learning_options import (
    CaptioningTrainingOptions,
    DescribingOptions,
)
from unrolled.tasks.captioning.model import CaptioningModel
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.captioning.python import resume_captioning, train_captioning
from unrolled.tasks.continuing import move_run
from unrolled.tasks.language.model import LanguageModel
from unrolled.tasks.language.options import LanguageOptions
from unrolled.tasks.language.python import Text, resume_language, train_language
from unrolled.tasks.model_folder import task_of_model
from unrolled.tasks.table import task_named, task_of_run
from unrolled.tasks.video.data import VideoData
from unrolled.tasks.video.model import VideoModel
from unrolled.tasks.video.options import VideoOptions, VideoTrainingOptions
from unrolled.tasks.video.python import resume_video, train_video
from unrolled.training.device import use_device
from unrolled.training.options import TrainingOptions

AnyModel = LanguageModel | VideoModel | CaptioningModel


@overload
def train(
    task: Literal["language"],
    *,
    data: Text,
    model: str | nn.Module | None = None,
    options: dict[str, Any] | None = None,
    out: str | Path | None = None,
    reading: LanguageOptions | None = None,
    training: TrainingOptions | None = None,
) -> LanguageModel: ...
@overload
def train(
    task: Literal["video"],
    *,
    data: str | Path | VideoData,
    model: str | nn.Module | None = None,
    options: dict[str, Any] | None = None,
    out: str | Path | None = None,
    reading: VideoOptions | None = None,
    training: TrainingOptions | None = None,
) -> VideoModel: ...
@overload
def train(
    task: Literal["captioning"],
    *,
    data: str | Path,
    model: str | None = None,
    options: dict[str, Any] | None = None,
    out: str | Path | None = None,
    reading: CaptioningOptions | None = None,
    describing: DescribingOptions | None = None,
    training: TrainingOptions | None = None,
) -> CaptioningModel: ...
def train(
    task: str,
    *,
    data: Any,
    model: str | nn.Module | None = None,
    options: dict[str, Any] | None = None,
    out: str | Path | None = None,
    reading: LanguageOptions | VideoOptions | CaptioningOptions | None = None,
    describing: DescribingOptions | None = None,
    training: TrainingOptions | None = None,
) -> AnyModel:
    """Train a model, keep it in a run folder, and return it.

    Args:
        task: what is learnt: "language", "video" or "captioning".
        data: a text file, a folder or a pattern; or text in memory, as ``TextParts`` or a list of
            texts, which are joined and split. Of videos: a folder, a list, a CSV, or ``VideoData``
            in memory. Of captions: a file of them, or "world".
        model: the name of a network or cell, your own registered ones included; or a module that
            reads tokens ``[B, T]`` or clips ``[B, T, ...]`` and returns logits, which is trained
            itself. None takes the task's own: lstm, causal_small, or show_attend_tell.
        options: of the network, such as ``{"hidden_size": 256}``, where it has a name.
        out: a new folder for the run; None takes the next runs/TASK-N.
        reading: how the data is read: ``LanguageOptions``, ``VideoOptions``, ``CaptioningOptions``.
        describing: of captions: the encoder, and how captions are searched for.
        training: how long and how: ``TrainingOptions``, or the task's own with its defaults.
    Raises:
        ConfigError: an unknown task, name or option, or a module that does not fit the text.
        ReaderError: there is no text at ``data``.
    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp()) / "run"
        >>> model = train(
        ...     "language",
        ...     data=["hello " * 50],
        ...     options={"hidden_size": 8},
        ...     out=folder,
        ...     training=TrainingOptions(max_steps=3),
        ... )
        >>> load(folder).vocabulary == model.vocabulary
        True
    """
    found = task_named(task)
    name, usual_model = found.name, found.configuration.default_model
    if not (model is None or isinstance(model, str | nn.Module)):
        raise ConfigError("a name, or a module derived from Recurrence", type(model).__name__)
    if describing is not None and name != "captioning":
        raise ConfigError(f"no describing for the task {name}", type(describing).__name__)
    if name == "captioning":
        seen, search = _chosen(reading, CaptioningOptions), describing or DescribingOptions()
        how = training or CaptioningTrainingOptions()
        return train_captioning(data, model or usual_model, options, out, seen, search, how)
    if name == "video":
        clips, how = _chosen(reading, VideoOptions), training or VideoTrainingOptions()
        return train_video(data, model or usual_model, options, out, clips, how)
    if isinstance(model, nn.Module) and not isinstance(model, Recurrence):
        raise ConfigError("a name, or a module derived from Recurrence", type(model).__name__)
    text, how = _chosen(reading, LanguageOptions), training or TrainingOptions()
    return train_language(data, model or usual_model, options, out, text, how)


def resume(
    run: str | Path, *, model: Any = None, data: Any = None, device: str | None = None
) -> AnyModel:
    """Go on with a run that was stopped, to its end, and return the model.

    Args:
        run: its folder.
        model: a module like the one that the run was given, if it was given one; it gets the
            weights that the run has come to.
        data: what the run was given from memory; or where its files are now.
        device: to go on on, such as "cuda"; None for that of the run until now.
    Raises:
        ReaderError: no run there, none of its checkpoints is good, or its data has changed.
        ConfigError: the run needs a module or a text, and it is not given or does not fit.
    """
    task = task_of_run(Path(run))
    name = task.name
    if device is not None:
        move_run(Path(run), task.configuration, device)
    if name == "captioning":
        return resume_captioning(run)
    if name == "video":
        return resume_video(run, model, data)
    return resume_language(run, model, data)


def load(folder: str | Path, *, model: Any = None, device: str = "cpu") -> Any:
    """Return the model in a run folder or a model folder, ready to use.

    Args:
        folder: where ``train`` left it.
        model: a module like the one that was trained, which gets its weights; needed where no name
            stands for it.
        device: to compute on: "cpu", "cuda", "cuda:1", "mps" or "auto"; the model's own does not
            matter, for its files know none.
    Raises:
        ReaderError: no model there, or a damaged one.
        ConfigError: it was made from a module and none is given, or one that does not fit; or its
            cell is not registered.
    """
    name, place = task_of_model(Path(folder)), use_device(device)
    loaded: AnyModel
    if name == "captioning":
        loaded = CaptioningModel.load(folder)
    elif name == "video":
        loaded = VideoModel.load(folder, model)
    else:
        loaded = LanguageModel.load(folder, model)
    loaded.network.to(place)
    return loaded


ReadingT = TypeVar("ReadingT")


def _chosen(reading: object, kind: type[ReadingT]) -> ReadingT:
    """Return how data is read: as the caller says, or as is usual."""
    if reading is None:
        return kind()
    if not isinstance(reading, kind):
        raise ConfigError(f"reading of the class {kind.__name__}", type(reading).__name__)
    return reading
