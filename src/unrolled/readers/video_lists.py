"""Data sets as lists: UCF101's and HMDB51's split files, "path label", and CSV."""

import csv
import re
from collections.abc import Callable, Iterator
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from unrolled.errors import ReaderError
from unrolled.readers.text import part_named, read_text
from unrolled.readers.video_items import Rejected, VideoItem, VideoSet, group_of

_HMDB_PARTS = {"1": "train", "2": "test"}
_UCF_FOLDERS = (".", "..", "UCF-101", "../UCF-101", "UCF101", "../UCF101")
_HMDB_FOLDERS = (".", "..", "hmdb51", "../hmdb51", "hmdb51_org", "../hmdb51_org")
_PATTERN = re.compile(r"[*?\[]")


class Entry(NamedTuple):
    """One line of a list, as it stands there.

    Args:
        path: as written.
        label: as written; "" where the line has none.
        start: in seconds, as written.
        stop: in seconds, as written.
        part: that the list is for.
        group: that the list names, or None.
    """

    path: str
    label: str
    start: str = ""
    stop: str = ""
    part: str = ""
    group: str | None = None


def read_ucf101(folder: Path, split: int, videos: Path | None) -> VideoSet:
    """Read ``trainlist0N.txt`` and ``testlist0N.txt`` beside ``classInd.txt``."""
    lists = [folder / f"{part}list{split:02d}.txt" for part in ("train", "test")]
    entries = [entry for path in lists for entry in _ucf_entries(path)]
    names = _class_index(folder)
    return _resolve(entries, folder, videos, _UCF_FOLDERS, class_names=names)


def read_hmdb51(folder: Path, split: int, videos: Path | None) -> VideoSet:
    """Read ``CLASS_test_splitN.txt``; clips of one film are one group."""
    entries = []
    for path in sorted(folder.glob(f"*_test_split{split}.txt")):
        label = path.name.removesuffix(f"_test_split{split}.txt")
        for line in read_text(path).splitlines():
            name, _, flag = line.strip().rpartition(" ")
            if flag in _HMDB_PARTS:  # 0: in another split
                source = name.rpartition(f"_{label}_")[0] or name
                part = _HMDB_PARTS[flag]
                entries.append(Entry(f"{label}/{name}", label, part=part, group=source))
    labels = sorted({entry.label for entry in entries})
    return _resolve(entries, folder, videos, _HMDB_FOLDERS, class_names=labels)


def read_list(path: Path, videos: Path | None) -> VideoSet:
    """Read lines of a path and a label; a list of UCF101 has its classes beside it."""
    if re.fullmatch(r"(train|test)list\d+\.txt", path.name):
        names = _class_index(path.parent)
        return _resolve(_ucf_entries(path), path.parent, videos, _UCF_FOLDERS, class_names=names)
    entries = []
    for line in read_text(path).splitlines():
        if line.strip():
            name, _, label = line.strip().rpartition(" ")
            entries.append(Entry(name.strip(), label) if name else Entry(label, ""))
    return _resolve(entries, path.parent, videos, (".",))


def read_csv(path: Path, videos: Path | None) -> VideoSet:
    """Read ``path,label`` and, where there are such columns, the stretch, the group, the part."""
    rows = csv.DictReader(read_text(path).splitlines())
    columns = [name.strip().lower() for name in rows.fieldnames or ()]
    if not {"path", "label"} <= set(columns):
        got = ", ".join(columns[:4]) or "none"
        raise ReaderError(
            f"columns path and label in the first line of {path}",
            got,
            "name them there; start_seconds, end_seconds, group and part may follow",
        )
    entries = []
    for row in rows:
        cells = {k.strip().lower(): (v or "").strip() for k, v in row.items() if isinstance(k, str)}
        group, part = cells.get("group"), cells.get("part", "")
        stop = cells.get("end_seconds") or cells.get("stop_seconds", "")
        start = cells.get("start_seconds", "")
        entries.append(Entry(cells["path"], cells["label"], start, stop, part, group or None))
    return _resolve(entries, path.parent, videos, (".",))


def _ucf_entries(path: Path) -> list[Entry]:
    part = part_named(Path(path.name.replace("list", "."))) or ""
    lines = (line.split() for line in read_text(path).splitlines() if line.strip())
    # The class is the folder; a training list repeats it as a number, a test list does not.
    return [Entry(words[0], words[0].partition("/")[0], part=part) for words in lines]


def _class_index(folder: Path) -> list[str] | None:
    path = folder / "classInd.txt"
    if not path.is_file():
        return None
    return [line.split()[-1] for line in read_text(path).splitlines() if line.strip()]


def _resolve(
    entries: list[Entry],
    home: Path,
    videos: Path | None,
    places: tuple[str, ...],
    *,
    class_names: list[str] | None = None,
) -> VideoSet:
    """Find the files that a list names; what is not there or makes no sense is rejected."""
    find = _finder(entries, home, videos, places)
    items: list[VideoItem] = []
    rejected: list[Rejected] = []
    first: dict[tuple[Path, str, str], str] = {}
    for entry in entries:
        path = find(entry.path)
        reason = _wrong(entry, path, class_names)
        stretch = (path, entry.start, entry.stop)
        if stretch in first:
            before = first[stretch]
            twice = "listed before" + f" as {before}, here as {entry.label}" * (
                before != entry.label
            )
            reason = reason or twice
        first.setdefault(stretch, entry.label)
        if reason:
            rejected.append(Rejected(path, reason))
            continue
        group = entry.group or group_of(Path(entry.path))
        start, stop = _seconds(entry.start), _seconds(entry.stop)
        items.append(VideoItem(path, entry.label, start, stop, group, entry.part))
    labels = {item.label for item in items}
    numbers = all(label.isdecimal() for label in labels)
    names = class_names or sorted(labels, key=int if numbers else None)
    return VideoSet(tuple(items), tuple(rejected), tuple(names))


def _finder(
    entries: list[Entry], home: Path, videos: Path | None, places: tuple[str, ...]
) -> Callable[[str], Path]:
    """Return what turns a path as written into one to open."""
    if videos is not None:
        return lambda written: videos / written
    for place in places:
        root = home / place
        if any(_exists(root / entry.path) for entry in entries[:100]):
            return lambda written: root / written
    return lambda written: home / written


def _exists(path: Path) -> bool:
    name = path.as_posix().partition("#")[0]
    if _PATTERN.search(name) and not Path(name).exists():
        return next(iter(_matches(name)), None) is not None
    return Path(name).exists()


def _matches(pattern: str) -> Iterator[Path]:
    path = Path(pattern)
    return Path(path.anchor).glob(path.relative_to(path.anchor).as_posix())


def _wrong(entry: Entry, path: Path, class_names: list[str] | None) -> str:
    if not entry.label:
        return "the list gives it no label"
    if class_names is not None and entry.label not in class_names:
        return f"its class {entry.label} is not in the list of classes"
    if not _exists(path):
        return "nothing there"
    try:
        start, stop = _seconds(entry.start), _seconds(entry.stop)
    except ValueError:
        return f"{entry.start or 'nothing'} to {entry.stop or 'nothing'} are no seconds"
    if stop is not None and stop <= (start or 0.0):
        return f"its stretch ends at {entry.stop} s, and begins at {entry.start or '0'} s"
    return ""


def _seconds(written: str) -> float | None:
    if not written:
        return None
    value = float(written)
    if not isfinite(value):
        raise ValueError(written)
    return value
