"""What a configuration of the language task may say; read without torch, for the command line."""

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

#: What ``--set model.KEY=VALUE`` can set, and what it is if it is not set. Written out because a
#: help page must not wait for torch; a test holds it against the networks.
NETWORK_OPTIONS: dict[str, dict[str, Any]] = {
    "lstm": {
        "embedding_size": 128,
        "hidden_size": 512,
        "num_layers": 1,
        "dropout": 0.0,
        "init_range": None,
    },
    "tcn": {
        "embedding_size": 128,
        "hidden_size": 512,
        "num_levels": 4,
        "kernel_size": 3,
        "dropout": 0.0,
    },
    "transformer": {
        "embed_dim": 128,
        "num_heads": 4,
        "num_layers": 2,
        "window": 64,
        "dropout": 0.0,
    },
    "min_char_rnn": {"hidden_size": 100},
    "bigram": {"smoothing": 0.1},
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
