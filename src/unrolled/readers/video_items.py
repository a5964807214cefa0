"""Items with a class: a video, a stretch of one, or a sequence of another sensor."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

VIDEO_SUFFIXES = frozenset(
    (".3gp", ".avi", ".flv", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts")
) | {".ogv", ".ts", ".webm", ".wmv"}
_SAME_SOURCE = re.compile(r"(.+_g\d+)_c\d+")  # UCF101: clips of one group are cut from one video


@dataclass(frozen=True)
class VideoItem:
    """One thing to classify.

    Args:
        path: of the file; of a sequence, ``sequences.read_sequence`` says what else it may be.
        label: its class.
        start_seconds: of the stretch that the label is for; None for the beginning.
        stop_seconds: of the stretch; None for the end.
        group: what it was cut from; items of one group are never on both sides of a split.
        part: that the data set itself puts it in, such as "train"; "" where it names none.
    """

    path: Path
    label: str
    start_seconds: float | None
    stop_seconds: float | None
    group: str
    part: str = ""


class Rejected(NamedTuple):
    """What cannot be used, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class VideoSet:
    """A data set for classification.

    Args:
        items: what can be used.
        rejected: what cannot; items and rejected together are all that was found.
        class_names: in the order of their numbers.
    """

    items: tuple[VideoItem, ...]
    rejected: tuple[Rejected, ...]
    class_names: tuple[str, ...]


def group_of(path: Path) -> str:
    """Return what a video was cut from, by its name: itself, if it has not UCF101's ``gNN``.

    Example:
        >>> group_of(Path("Archery/v_Archery_g03_c02.avi"))
        'Archery/v_Archery_g03'
    """
    same = _SAME_SOURCE.fullmatch(path.stem)
    return (path.parent / same[1] if same else path).as_posix()
