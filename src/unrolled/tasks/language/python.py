"""The language task from Python, as the command line does it."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from unrolled.errors import ConfigError
from unrolled.readers.text import TextParts, split_texts
from unrolled.recurrence import Recurrence
from unrolled.tasks.language.configuration import LANGUAGE_CONFIGURATION
from unrolled.tasks.language.data import read_language_parts
from unrolled.tasks.language.model import LanguageModel
from unrolled.tasks.language.networks import Network
from unrolled.tasks.language.options import LanguageOptions
from unrolled.tasks.language.run import Given, begin, finish, reopen
from unrolled.tasks.learning import silence
from unrolled.training.configuration import expand_path
from unrolled.training.options import TrainingOptions
from unrolled.training.plain_yaml import shown
from unrolled.training.run_folder import CONFIGURATION

#: A file, a folder or a pattern; or text in memory: its parts, or texts to be joined and split.
Text: TypeAlias = str | Path | TextParts | Sequence[str]


def train_language(
    data: Text,
    model: str | Network,
    options: dict[str, Any] | None,
    out: str | Path | None,
    reading: LanguageOptions,
    training: TrainingOptions,
) -> LanguageModel:
    """Train a model on a text, keep it in a run folder, and return it; see ``unrolled.train``."""
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
    learning, folder = begin(None if out is None else Path(out), request, silence, given=given)
    learning.training.run()
    finish(learning, folder)
    return learning.model


def resume_language(
    run: str | Path, model: Network | None = None, data: Text | None = None
) -> LanguageModel:
    """Go on with a run that was stopped, to its end; see ``unrolled.resume``."""
    text = None
    if data is not None:
        reading = LanguageOptions(
            **LANGUAGE_CONFIGURATION.read_request(Path(run) / CONFIGURATION)["reading"]
        )
        text = _text(data, reading) or read_language_parts(
            expand_path(str(data)), split=reading.split, encoding=reading.encoding
        )
    learning, folder = reopen(Path(run), silence, Given(network=model, text=text))
    learning.training.run()
    finish(learning, folder)
    return learning.model


def _text(data: Text, reading: LanguageOptions) -> TextParts | None:
    """Return a text that is in memory; None for files, which the run reads itself."""
    if isinstance(data, str | Path):
        return None
    if isinstance(data, TextParts):
        return data
    if not (isinstance(data, Sequence) and all(isinstance(text, str) for text in data)):
        raise ConfigError("a path, TextParts, or a list of texts", shown(data))
    return split_texts(list(data), split=reading.split)
