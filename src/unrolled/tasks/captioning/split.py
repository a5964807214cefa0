"""Which pictures are learnt from, and which are held out: the same picture is never both."""

import random
from collections.abc import Sequence
from itertools import accumulate

from unrolled.tasks.video.options import shares

PARTS = ("train", "valid", "test")


def split_pictures(
    digests: Sequence[str], named: Sequence[str | None], split: str, *, seed: int = 0
) -> dict[str, list[int]]:
    """Return the pictures of train, valid and test, by their numbers.

    Where the data names parts they are kept, and valid is split off what is learnt from if there is
    none; otherwise pictures are shared out by chance.

    Args:
        digests: SHA-256 of every picture; those of the same digest stay together.
        named: the part that the data itself puts it in, or None.
        split: percentages, such as "80/10/10".
        seed: other seeds give other splits; the same seed gives the same split.
    Example:
        >>> parts = split_pictures([str(n) for n in range(20)], [None] * 20, "80/10/10")
        >>> [len(parts[part]) for part in PARTS]
        [16, 2, 2]
    """
    train, valid, test = shares(split)
    given = {digest: part for digest, part in zip(digests, named, strict=True) if part}
    free = sorted(set(digests) - set(given))
    wanted = {"train": train, "valid": valid, "test": test}
    if given:
        wanted["test"] = 0.0 if "test" in given.values() else test
        if "valid" not in given.values():  # of what is learnt from
            free = sorted([*free, *(digest for digest, part in given.items() if part == "train")])
        else:
            wanted = {"train": 1.0}
    random.Random(seed).shuffle(free)
    given |= _shared_out(free, wanted)
    parts: dict[str, list[int]] = {part: [] for part in PARTS}
    for number, digest in enumerate(digests):
        if given[digest] in parts:
            parts[given[digest]].append(number)
    return parts


def _shared_out(order: Sequence[str], wanted: dict[str, float]) -> dict[str, str]:
    """Return the part of each by its place in the order."""
    total = sum(wanted.values())
    ends = [round(len(order) * end / total) for end in accumulate(wanted.values())]
    place = 0
    found: dict[str, str] = {}
    for part, end in zip(wanted, ends, strict=True):
        found |= dict.fromkeys(order[place:end], part)
        place = end
    return found
