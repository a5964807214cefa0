"""Which samples train, validate and test: groups stay whole, and so does what is the same file."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from unrolled.readers.video_sets import VideoItem, split_by_group
from unrolled.tasks.video.options import VideoOptions, parse_fold, shares


class Member(NamedTuple):
    """What a split must know of a sample.

    Args:
        label: its class.
        group: the source that it shares with others.
        digest: SHA-256 of what it holds.
        part: "train", "valid" or "test" where the data says so itself; else "".
    """

    label: str
    group: str
    digest: str
    part: str = ""


def split(members: Sequence[Member], options: VideoOptions, *, seed: int = 0) -> list[str]:
    """Return the part of every member: by folds where they are asked for, as the data says, or by
    the shares of the options.

    Example:
        >>> members = [Member(str(n % 2), f"video {n // 4}", str(n)) for n in range(40)]
        >>> parts = split(members, VideoOptions(split="80/10/10"))
        >>> [parts.count(part) for part in ("train", "valid", "test")]
        [32, 4, 4]
    """
    train, valid, test = shares(options.split)
    fold = parse_fold(options.fold)
    if fold is not None:
        number, count = fold
        folds = _assign(members, {str(k): 1.0 for k in range(count)}, seed)
        names = ["test" if k == str(number - 1) else "" for k in folds]
        return _fill(members, names, train, valid, seed)
    if any(member.part for member in members):
        names = [member.part for member in members]
        if "valid" in names or not valid:
            return [name or "train" for name in names]
        return _fill(members, ["" if n == "train" else n for n in names], train, valid, seed)
    return _assign(members, {"train": train, "valid": valid, "test": test}, seed)


def joined_groups(members: Sequence[Member]) -> list[str]:
    """Return the group of every member, where groups that hold the same file have become one.

    Example:
        >>> joined_groups([Member("a", "x", "1"), Member("a", "y", "2"), Member("b", "z", "1")])
        ['group z', 'group y', 'group z']
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for member in members:
        parent[root(f"file {member.digest}")] = root(f"group {member.group}")
        parent[root(f"group {member.group}")] = root(f"file {member.digest}")
    return [root(f"group {member.group}") for member in members]


def _fill(
    members: Sequence[Member], names: list[str], train: float, valid: float, seed: int
) -> list[str]:
    """Share out those that have no part yet between train and valid."""
    rest = [place for place, name in enumerate(names) if not name]
    fractions = {"train": train, "valid": valid}
    inner = _assign([members[place] for place in rest], fractions, seed + 1)
    filled = list(names)
    for place, name in zip(rest, inner, strict=True):
        filled[place] = name
    return filled


def _assign(members: Sequence[Member], fractions: dict[str, float], seed: int) -> list[str]:
    items = [
        VideoItem(Path(str(place)), member.label, None, None, group)
        for place, (member, group) in enumerate(zip(members, joined_groups(members), strict=True))
    ]
    wanted = {part: share for part, share in fractions.items() if share > 0}
    names = [""] * len(items)
    for part, chosen in split_by_group(items, wanted, seed=seed).items():
        for item in chosen:
            names[int(item.path.name)] = part
    return names
