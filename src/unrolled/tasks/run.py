"""Training and loading from Python, as the command line does."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from unrolled.errors import ConfigError
from unrolled.tasks.language import LanguageModel
from unrolled.tasks.language_options import LanguageOptions
from unrolled.tasks.language_run import begin, finish, reopen
from unrolled.training.options import TrainingOptions


def train(
    task: Literal["language"],
    *,
    data: str | Path,
    model: str = "lstm",
    options: dict[str, Any] | None = None,
    out: str | Path | None = None,
    reading: LanguageOptions = LanguageOptions(),  # noqa: B008 (frozen)
    training: TrainingOptions = TrainingOptions(),  # noqa: B008 (frozen)
) -> LanguageModel:
    """Train a model, keep it in a run folder, and return it.

    Args:
        task: what is learnt; "language" is all there is today.
        data: a text file, a folder or a pattern.
        model: the name of a network or cell, your own registered ones included.
        options: of the network, such as ``{"hidden_size": 256}``.
        out: a new folder for the run; None takes the next runs/TASK-N.
        reading: how the data is read.
        training: how long and how.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "text.txt").write_text("hello " * 50)
        >>> model = train(
        ...     "language",
        ...     data=folder / "text.txt",
        ...     options={"hidden_size": 8},
        ...     out=folder / "run",
        ...     training=TrainingOptions(max_steps=3),
        ... )
        >>> load(folder / "run").vocabulary == model.vocabulary
        True
    """
    if task != "language":
        raise ConfigError("a task: language", repr(task))
    request = {
        "data": str(data),
        "model": model,
        "options": options or {},
        "import": [],
        "reading": asdict(reading),
        "training": asdict(training),
    }
    learning, folder = begin(None if out is None else Path(out), request, lambda *_: None)
    learning.training.run()
    finish(learning, folder)
    return learning.model


def resume(run: str | Path) -> LanguageModel:
    """Go on with a run that was stopped, to its end, and return the model."""
    learning, folder = reopen(Path(run), lambda *_: None)
    learning.training.run()
    finish(learning, folder)
    return learning.model


def load(folder: str | Path) -> LanguageModel:
    """Return the model in a run folder or a model folder."""
    return LanguageModel.load(folder)
