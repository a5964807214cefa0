"""Splits that keep what was cut from one source on one side."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from unrolled.errors import ConfigError
from unrolled.readers.video_items import VideoItem


def split_by_group(
    items: Sequence[VideoItem], fractions: Mapping[str, float], *, seed: int = 0
) -> dict[str, tuple[VideoItem, ...]]:
    """Split items into parts; a group is in one part, and each class is shared out alike.

    Every part gets something of every class that has groups enough.

    Args:
        items: of a data set.
        fractions: of the items, by part; of any sum.
        seed: other seeds give other splits; the same seed gives the same split.
    Returns:
        The items of each part, in the order in which they were given.
    Raises:
        ConfigError: a fraction is below 0, or all are 0.
    Example:
        >>> from pathlib import Path
        >>> items = [VideoItem(Path(f"{n}.mp4"), "a", None, None, f"{n // 2}") for n in range(8)]
        >>> parts = split_by_group(items, {"train": 3, "test": 1})
        >>> {part: len(chosen) for part, chosen in parts.items()}
        {'train': 6, 'test': 2}
    """
    total = sum(fractions.values())
    if not total > 0 or min(fractions.values()) < 0:
        raise ConfigError("fractions of at least 0, not all 0", str(dict(fractions)))
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        groups[item.group][item.label] += 1
    classes = Counter(item.label for item in items)
    missing = {  # of each class, in each part, as a share of the class
        part: dict.fromkeys(classes, share / total) for part, share in fractions.items()
    }
    order = sorted(groups)
    random.Random(seed).shuffle(order)
    order.sort(key=lambda group: -groups[group].total())  # large ones first: they fit least
    left = Counter(label for group in groups.values() for label in group)
    lacking = {label: [p for p in fractions if fractions[p]] for label in classes}
    place: dict[str, str] = {}
    for group in order:
        # As many groups of a class are left as parts without it: now each must get one.
        urgent = [
            p
            for label in groups[group]
            for p in lacking[label]
            if left[label] <= len(lacking[label])
        ]
        place[group] = part = _neediest(missing, groups[group], classes, urgent)
        for label, count in groups[group].items():
            missing[part][label] -= count / classes[label]
            left[label] -= 1
            lacking[label] = [p for p in lacking[label] if p != part]
    return {part: tuple(i for i in items if place[i.group] == part) for part in fractions}


def fold_by_group(
    items: Sequence[VideoItem], folds: int, *, seed: int = 0
) -> tuple[tuple[tuple[VideoItem, ...], tuple[VideoItem, ...]], ...]:
    """Return for each fold what is learnt from and what is held out; every item is held out once.

    Raises:
        ConfigError: fewer than two folds, or fewer groups than folds.
    """
    count = len({item.group for item in items})
    if not 2 <= folds <= count:
        raise ConfigError(f"from 2 to {count} folds, as there are {count} groups", str(folds))
    held_out = split_by_group(items, {str(number): 1.0 for number in range(folds)}, seed=seed)
    return tuple((tuple(i for i in items if i not in set(out)), out) for out in held_out.values())


def _neediest(
    missing: Mapping[str, Mapping[str, float]],
    group: Mapping[str, int],
    classes: Mapping[str, int],
    urgent: Sequence[str],
) -> str:
    """Return the part that lacks most of what the group has, an urgent one if there is any."""

    def need(part: str) -> tuple[float, float]:
        of_its_classes = sum(
            missing[part][label] * count / classes[label] for label, count in group.items()
        )
        return of_its_classes, sum(missing[part].values())

    return max(urgent or missing, key=need)
