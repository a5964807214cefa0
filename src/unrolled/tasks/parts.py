"""Which of some data a model is to be judged by: it keeps what it was trained on, by digests."""

from collections.abc import Mapping, Sequence

from unrolled.errors import ConfigError, ReaderError

PARTS = ("train", "valid", "test")


def held_out_part(parts: Mapping[str, Sequence[int]]) -> str:
    """Return the part that the figures of a run are of: test, or else valid, or else train.

    Example:
        >>> held_out_part({"train": [0, 1], "valid": [2], "test": []})
        'valid'
    """
    return next(name for name in reversed(PARTS) if parts[name])


def wanted_part(
    parts: Mapping[str, Sequence[str]], digests: Sequence[str], part: str | None, *, what: str
) -> tuple[str, set[str], int]:
    """Return the part, what of the data belongs to it, and how much is left out as seen.

    Args:
        parts: of a model: the digests of train, valid and test.
        digests: of the data.
        part: one of those, "held-out" (test, or else valid), "all", or None, which is the held-out
            part where there is any of it in the data, and else all that the model has not seen.
        what: the samples are called.
    Raises:
        ConfigError: no such part.
        ReaderError: there is nothing of it in the data.
    Example:
        >>> parts = {"train": ["a"], "valid": [], "test": ["b"]}
        >>> wanted_part(parts, ["a", "b"], None, what="clips")
        ('held-out', {'b'}, 0)
        >>> wanted_part(parts, ["a", "c"], None, what="clips")
        ('all', {'c'}, 1)
    """
    held_out = "test" if parts["test"] else "valid"
    if part not in (None, "held-out", "all", *PARTS):
        raise ConfigError("a part: train, valid, test, held-out or all", repr(part))
    if part == "all":
        return "all", set(digests), 0
    if part is None and not set(digests) & set(parts[held_out]):
        seen = set(parts["train"]) | set(parts["valid"])
        unseen = set(digests) - seen
        if not unseen:
            expected = f"{what} that the model was not trained on"
            raise ReaderError(expected, "none", "or pass --part all")
        return "all", unseen, sum(digest in seen for digest in digests)
    name = held_out if part in (None, "held-out") else str(part)
    wanted = set(digests) & set(parts[name])
    if not wanted:
        raise ReaderError(f"{what} of the part {name!r} of the model's own data", "none")
    return name if part not in (None, "held-out") else "held-out", wanted, 0
