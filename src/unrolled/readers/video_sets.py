"""Data sets of labelled videos, as people have them."""

import re
from dataclasses import replace
from pathlib import Path

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.grouped_split import fold_by_group, split_by_group
from unrolled.readers.text import part_named
from unrolled.readers.video_items import VIDEO_SUFFIXES, Rejected, VideoItem, VideoSet, group_of
from unrolled.readers.video_lists import read_csv, read_hmdb51, read_list, read_ucf101

__all__ = [
    "Rejected",
    "VideoItem",
    "VideoSet",
    "fold_by_group",
    "read_video_set",
    "split_by_group",
]


def read_video_set(
    path: str | Path,
    *,
    group: str | None = None,
    videos: str | Path | None = None,
    split: int = 1,
) -> VideoSet:
    """Find the videos of a data set and their classes; none is opened.

    What ``path`` may be: a folder of one folder per class, or of such folders named train, valid
    and test; a folder with the split files of UCF101 or of HMDB51; a list of lines "path label"; a
    CSV file with the columns ``path,label`` and, if wanted, ``start_seconds``, ``end_seconds``,
    ``group``, ``part``.

    Args:
        path: of the data set.
        group: a pattern; what it finds in a path (its first group, if it has one) names what the
            item was cut from. Left out, UCF101's ``gNN`` and HMDB51's films are known, and any
            other file is a group of its own.
        videos: the folder that the paths of a list begin from; left out, that of the list.
        split: the number of UCF101's or HMDB51's split files.
    Raises:
        ReaderError: there is nothing that can be used.
        ConfigError: the pattern is none.
    """
    path = Path(path)
    root = None if videos is None else Path(videos)
    if path.is_dir():
        found = _read_folder(path, split, root)
    elif path.is_file():
        found = (read_csv if path.suffix.lower() == ".csv" else read_list)(path, root)
    else:
        raise ReaderError(f"a folder or a list of videos at {path}", "nothing there")
    if group is not None:
        found = _regroup(found, group)
    if not found.items:
        raise ReaderError(f"labelled videos at {path}", _nothing(found))
    return found


def _read_folder(path: Path, split: int, videos: Path | None) -> VideoSet:
    if (path / f"trainlist{split:02d}.txt").is_file():
        return read_ucf101(path, split, videos)
    if next(path.glob(f"*_test_split{split}.txt"), None) is not None:
        return read_hmdb51(path, split, videos)
    inside = [p for p in sorted(path.iterdir()) if p.is_dir() and not p.name.startswith(".")]
    parts = {folder: part_named(folder) for folder in inside}
    if inside and all(parts.values()):
        sets = [_read_classes(folder, parts[folder] or "") for folder in inside]
    else:
        sets = [_read_classes(path, "")]
    return VideoSet(
        tuple(item for found in sets for item in found.items),
        tuple(rejected for found in sets for rejected in found.rejected),
        tuple(sorted({name for found in sets for name in found.class_names})),
    )


def _read_classes(path: Path, part: str) -> VideoSet:
    items: list[VideoItem] = []
    rejected: list[Rejected] = []
    names = []
    for entry in sorted(path.iterdir()):
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            rejected.append(Rejected(entry, "it lies in no folder of a class"))
            continue
        visible = [p for p in sorted(entry.rglob("*")) if not p.name.startswith(".")]
        files = [p for p in visible if p.is_file()]
        videos = [p for p in files if p.suffix.lower() in VIDEO_SUFFIXES]
        items += [
            VideoItem(p, entry.name, None, None, group_of(p.relative_to(path)), part)
            for p in videos
        ]
        others = (p for p in files if p.suffix.lower() not in VIDEO_SUFFIXES)
        rejected += [Rejected(p, f"a {p.suffix or 'nameless'} file is no video") for p in others]
        if videos:
            names.append(entry.name)
        else:
            rejected.append(Rejected(entry, "a class folder without videos"))
    return VideoSet(tuple(items), tuple(rejected), tuple(names))


def _regroup(found: VideoSet, pattern: str) -> VideoSet:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ConfigError("a pattern with --group", f"{pattern!r}, {error}") from None
    items, rejected = [], list(found.rejected)
    for item in found.items:
        match = compiled.search(item.path.as_posix())
        if match is None:
            rejected.append(
                Rejected(item.path, f"the group pattern {pattern!r} is not in its path")
            )
        else:
            named = next((part for part in match.groups() if part is not None), match[0])
            items.append(replace(item, group=named))
    return replace(found, items=tuple(items), rejected=tuple(rejected))


def _nothing(found: VideoSet) -> str:
    if not found.rejected:
        return "none"
    path, reason = found.rejected[0]
    more = f", and {len(found.rejected) - 1:,} more" if len(found.rejected) > 1 else ""
    return f"none; {path}: {reason}{more}"
