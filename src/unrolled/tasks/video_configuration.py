"""What a configuration of the video task may say."""

from pathlib import Path
from typing import Any, Literal

from unrolled.tasks.video_options import VideoOptions, VideoTrainingOptions
from unrolled.training.configuration import comments_on, read_configuration

SECTIONS: dict[str, Any] = {"reading": VideoOptions, "training": VideoTrainingOptions}
_SCHEMA = {
    "task": Literal["video"],
    "data": str | None,
    "model": str | None,
    "options": dict,
    **SECTIONS,
}


def read_video_configuration(path: Path) -> dict[str, Any]:
    """Read a configuration of the video task; any key may be left out of it.

    Raises:
        ReaderError: the file cannot be read.
        ConfigError: a key that does not exist, or a value of the wrong type.
    """
    return read_configuration(path, _SCHEMA)


def comments() -> dict[str, str]:
    """Return words on every key, from the documentation of the options."""
    found = {
        "data": "a folder, a list, a CSV or world; $NAME is taken from the environment",
        "model": "a network or a cell: `unrolled list` names them",
        "options": "of the model",
        "reading": "how clips are taken and judged",
        "training": "how long and how",
    }
    for section, kind in SECTIONS.items():
        found |= {f"{section}.{key}": words for key, words in comments_on(kind).items()}
    return found
