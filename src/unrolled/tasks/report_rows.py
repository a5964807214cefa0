"""Rows that the reports of all tasks have: options with their values, and where a run was."""

from collections.abc import Mapping, Sequence
from typing import Any

from unrolled.diagnostics import environment

Rows = list[tuple[str, str]]


def option_rows(groups: Mapping[str, Mapping[str, Any]]) -> dict[str, Rows]:
    """Return every option with its value, by the title of its group; empty groups are left out.

    Example:
        >>> option_rows({"Network": {"hidden_size": 7, "sizes": (3, 5), "tied": True}, "More": {}})
        {'Network': [('hidden size', '7'), ('sizes', '3, 5'), ('tied', 'yes')]}
    """
    return {title: named_rows(options) for title, options in groups.items() if options}


def named_rows(values: Mapping[str, Any]) -> Rows:
    """Return values with their names in words."""
    return [(name.replace("_", " "), told(value)) for name, value in values.items()]


def share_rows(parts: Mapping[str, Sequence[int]], *, used: int, rejected: int) -> Rows:
    """Return how much of the data is learnt from, validates and tests, and how much is of no use.

    Example:
        >>> share_rows({"train": [0, 1, 4], "valid": [2], "test": [3]}, used=5, rejected=1)
        [('train, valid, test', '3, 1, 1'), ('used + rejected', '5 + 1 = 6')]
    """
    return [
        ("train, valid, test", ", ".join(f"{len(numbers):,}" for numbers in parts.values())),
        ("used + rejected", f"{used:,} + {rejected:,} = {used + rejected:,}"),
    ]


def told(value: Any) -> str:
    """Write an option's value as people say it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def environment_rows(device: str) -> Rows:
    """Return versions and machine; the device is the run's own, not the machine's best."""
    left_out = {"extras", "device"}
    found = environment().items()
    rows = [(name.replace("_", " "), str(value)) for name, value in found if name not in left_out]
    return [*rows, ("device", device)]
