"""Training and loading from Python, as the command line does."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, TypeAlias

from unrolled.errors import ConfigError
from unrolled.readers.text import TextParts, split_texts
from unrolled.recurrence import Recurrence
from unrolled.tasks.language import LanguageModel
from unrolled.tasks.language_data import read_language_parts
from unrolled.tasks.language_networks import Network
from unrolled.tasks.language_options import LanguageOptions
from unrolled.tasks.language_run import Given, begin, finish, read_request, reopen
from unrolled.training.configuration import expand_path
from unrolled.training.options import TrainingOptions
from unrolled.training.plain_yaml import shown
from unrolled.training.run_folder import CONFIGURATION

#: A file, a folder or a pattern; or text in memory: its parts, or texts to be joined and split.
Text: TypeAlias = str | Path | TextParts | Sequence[str]


def train(
    task: Literal["language"],
    *,
    data: Text,
    model: str | Network = "lstm",
    options: dict[str, Any] | None = None,
    out: str | Path | None = None,
    reading: LanguageOptions = LanguageOptions(),  # noqa: B008 (frozen)
    training: TrainingOptions = TrainingOptions(),  # noqa: B008 (frozen)
) -> LanguageModel:
    """Train a model, keep it in a run folder, and return it.

    Args:
        task: what is learnt; "language" is all there is today.
        data: a text file, a folder or a pattern; or text in memory, as ``TextParts`` or as a list
            of texts, which are joined and split.
        model: the name of a network or cell, your own registered ones included; or a module that
            reads tokens ``[B, T]`` and returns logits ``[B, T, V]``, which is trained itself.
        options: of the network, such as ``{"hidden_size": 256}``, where it has a name.
        out: a new folder for the run; None takes the next runs/TASK-N.
        reading: how the data is read.
        training: how long and how.
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
    if task != "language":
        raise ConfigError("a task: language", repr(task))
    network = model if isinstance(model, Recurrence) else None
    if network is None and not isinstance(model, str):
        raise ConfigError("a name, or a module derived from Recurrence", type(model).__name__)
    request = {
        "data": str(data) if isinstance(data, str | Path) else None,
        "model": model if network is None else None,
        "options": options or {},
        "reading": asdict(reading),
        "training": asdict(training),
    }
    given = Given(network=network, text=_text(data, reading))
    learning, folder = begin(None if out is None else Path(out), request, _silence, given)
    learning.training.run()
    finish(learning, folder)
    return learning.model


def resume(
    run: str | Path, *, model: Network | None = None, data: Text | None = None
) -> LanguageModel:
    """Go on with a run that was stopped, to its end, and return the model.

    Args:
        run: its folder.
        model: a module like the one that the run was given, if it was given one; it gets the
            weights that the run has come to.
        data: the text that the run was given from memory; or where its files are now.
    Raises:
        ReaderError: no run there, none of its checkpoints is good, or its data has changed.
        ConfigError: the run needs a module or a text, and it is not given or does not fit.
    """
    text = None
    if data is not None:
        reading = LanguageOptions(**read_request(Path(run) / CONFIGURATION)["reading"])
        text = _text(data, reading) or read_language_parts(
            expand_path(str(data)), split=reading.split, encoding=reading.encoding
        )
    learning, folder = reopen(Path(run), _silence, Given(network=model, text=text))
    learning.training.run()
    finish(learning, folder)
    return learning.model


def load(folder: str | Path, *, model: Network | None = None) -> LanguageModel:
    """Return the model in a run folder or a model folder, ready to use.

    Args:
        folder: where ``train`` left it.
        model: a module like the one that was trained, which gets its weights; needed where no name
            stands for it.
    Raises:
        ReaderError: no model there, or a damaged one.
        ConfigError: it was made from a module and none is given, or one that does not fit; or its
            cell is not registered.
    """
    return LanguageModel.load(folder, model)


def _silence(_: float, __: str) -> None:
    """Show nothing."""


def _text(data: Text, reading: LanguageOptions) -> TextParts | None:
    """Return a text that is in memory; None for files, which the run reads itself."""
    if isinstance(data, str | Path):
        return None
    if isinstance(data, TextParts):
        return data
    if not (isinstance(data, Sequence) and all(isinstance(text, str) for text in data)):
        raise ConfigError("a path, TextParts, or a list of texts", shown(data))
    return split_texts(list(data), split=reading.split)
