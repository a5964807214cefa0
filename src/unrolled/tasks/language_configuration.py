"""What a configuration of the language task may say."""

from pathlib import Path
from typing import Any, Literal

from unrolled.tasks.language_options import LanguageOptions
from unrolled.training.configuration import comments_on, read_configuration
from unrolled.training.options import TrainingOptions

SECTIONS: dict[str, Any] = {"reading": LanguageOptions, "training": TrainingOptions}
_SCHEMA = {
    "task": Literal["language"],
    "data": str | None,
    "model": str | None,
    "options": dict,
    **SECTIONS,
}


def read_language_configuration(path: Path) -> dict[str, Any]:
    """Read a configuration of the language task; any key may be left out of it.

    Raises:
        ReaderError: the file cannot be read.
        ConfigError: a key that does not exist, or a value of the wrong type.
    """
    return read_configuration(path, _SCHEMA)


def comments() -> dict[str, str]:
    """Return words on every key, from the documentation of the options."""
    found = {
        "data": "a file, a folder or a pattern; $NAME is taken from the environment",
        "model": "a network or a cell: `unrolled list` names them",
        "options": "of the model",
        "reading": "how the text is read",
        "training": "how long and how",
    }
    for section, kind in SECTIONS.items():
        found |= {f"{section}.{key}": words for key, words in comments_on(kind).items()}
    return found
