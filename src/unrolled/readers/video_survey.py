"""What the files of a data set really hold, every frame of them decoded."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from unrolled.errors import ReaderError
from unrolled.readers.sequences import SequenceReading, is_sequence, read_sequence
from unrolled.readers.video import VideoInfo, iterate_frames, probe
from unrolled.readers.video_process import Damage
from unrolled.storage import hash_file

_LOOK_HEIGHT = 16  # pixels; frames are decoded to find damage, not to be looked at
_MOST_AT_ONCE = 4


@dataclass(frozen=True)
class FileSurvey:
    """What one file holds.

    Args:
        path: of the file; of a sequence, what ``read_sequence`` takes.
        unreadable: why nothing can be read; "" where something can.
        sha256: of the file; "" of what is no single file.
        info: what a video says of itself; None of a sequence.
        frames: that came, or steps of a sequence.
        seconds: from the first frame to the end of the last; None of a sequence.
        shape: of a frame or a step.
        damage: where, and what.
    """

    path: Path
    unreadable: str = ""
    sha256: str = ""
    info: VideoInfo | None = None
    frames: int = 0
    seconds: float | None = None
    shape: tuple[int, ...] = ()
    damage: tuple[Damage, ...] = ()


def survey_videos(
    paths: Sequence[Path],
    reading: SequenceReading = SequenceReading(),  # noqa: B008 (frozen)
    *,
    show: Callable[[float, str], None] = lambda *_: None,
) -> list[FileSurvey]:
    """Look through files, some at once, each decoder in a process of its own.

    Args:
        paths: of videos and sequences.
        reading: of sequences.
        show: is told how far it is.
    """
    workers = min(os.cpu_count() or 1, _MOST_AT_ONCE, len(paths) or 1)
    with ThreadPoolExecutor(workers) as pool:
        return list(_counted(pool.map(lambda p: survey(p, reading), paths), len(paths), show))


def survey(path: Path, reading: SequenceReading) -> FileSurvey:
    """Look one file through; whatever is wrong with it is in the survey."""
    try:
        return _sequence(path, reading) if is_sequence(path) else _video(path)
    except ReaderError as error:
        return FileSurvey(path, unreadable=error.got)
    except OSError as error:  # it went away meanwhile
        return FileSurvey(path, unreadable=error.strerror or str(error))


def _video(path: Path) -> FileSurvey:
    info, damage = probe(path), list[Damage]()
    count, last = 0, info.start_seconds
    for frame in iterate_frames(path, height=_LOOK_HEIGHT, on_damage=damage.append):
        count, last = count + 1, frame.seconds
    seconds = last - info.start_seconds + 1 / info.frames_per_second
    shape = (3, info.height, info.width)
    return FileSurvey(path, "", hash_file(path), info, count, seconds, shape, tuple(damage))


def _sequence(path: Path, reading: SequenceReading) -> FileSurvey:
    values = read_sequence(path, reading)
    sha256 = hash_file(path) if path.is_file() else ""
    return FileSurvey(path, "", sha256, None, len(values), None, tuple(values.shape[1:]))


def _counted(
    surveys: Iterator[FileSurvey], total: int, show: Callable[[float, str], None]
) -> Iterator[FileSurvey]:
    for number, found in enumerate(surveys):
        show((number + 1) / total, found.path.name)
        yield found
