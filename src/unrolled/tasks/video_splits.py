"""Which samples train, validate and test: groups stay whole, and so does what is the same file."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

PARTS = ("train", "valid", "test")


class Member(NamedTuple):
    """What a split must know of a sample.

    Args:
        label: its class.
        group: the source that it shares with others.
        digest: SHA-256 of what it holds.
    """

    label: int
    group: str
    digest: str


def split_by_shares(
    members: Sequence[Member], shares: Sequence[float], *, seed: int = 0
) -> list[str]:
    """Return the part of every member, as near to the shares in every class as groups allow.

    Groups, largest first and else in an order drawn by the seed, go one by one to the part that
    lacks most of their classes.

    Example:
        >>> members = [Member(n % 2, f"video {n // 4}", str(n)) for n in range(40)]
        >>> Counter(split_by_shares(members, (0.8, 0.1, 0.1)))
        Counter({'train': 32, 'valid': 4, 'test': 4})
    """
    numbers = _assign(members, list(shares), seed)
    return [PARTS[number] for number in numbers]


def split_by_fold(
    members: Sequence[Member], number: int, count: int, valid: float, *, seed: int = 0
) -> list[str]:
    """Return the part of every member where fold ``number`` of ``count``, from 1, is the test.

    Args:
        members: all samples.
        number: of the fold that tests.
        count: of folds; together they test every sample once.
        valid: share of the other folds that validates.
        seed: of the order.
    """
    folds = _assign(members, [1 / count] * count, seed)
    rest = [index for index, fold in enumerate(folds) if fold != number - 1]
    inner = _assign([members[index] for index in rest], [1 - valid, valid], seed + 1)
    parts = ["test"] * len(members)
    for index, part in zip(rest, inner, strict=True):
        parts[index] = PARTS[part]
    return parts


def groups_of(members: Sequence[Member]) -> list[int]:
    """Return the group of every member as a number; equal files join the groups they are in."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for member in members:
        parent[root(f"file {member.digest}")] = root(f"group {member.group}")
    names = [root(f"group {member.group}") for member in members]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return [numbers[name] for name in names]


def _assign(members: Sequence[Member], shares: list[float], seed: int) -> list[int]:
    """Return the number of a part for every member."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, group in enumerate(groups_of(members)):
        groups[group].append(index)
    draws = np.random.default_rng(seed)
    order = [list(groups)[place] for place in draws.permutation(len(groups))]
    order.sort(key=lambda group: -len(groups[group]))  # stable: draws decide among equals
    classes = Counter(member.label for member in members)
    lacking = [{label: share * n for label, n in classes.items()} for share in shares]
    parts = [0] * len(members)
    for group in order:
        held = Counter(members[index].label for index in groups[group])
        part = max(
            (part for part, share in enumerate(shares) if share > 0),
            # In shares of what the part is to have, so that a small one gets its due.
            key=lambda part: sum(lacking[part][k] / shares[part] * n for k, n in held.items()),
        )
        for label, n in held.items():
            lacking[part][label] -= n
        for index in groups[group]:
            parts[index] = part
    return parts
