"""Rows that the reports of all tasks have: options with their values, and where a run was."""

from collections.abc import Mapping
from typing import Any

from unrolled.diagnostics import environment

Rows = list[tuple[str, str]]


def option_rows(groups: Mapping[str, Mapping[str, Any]]) -> dict[str, Rows]:
    """Return every option with its value, by the title of its group; empty groups are left out.

    Example:
        >>> option_rows({"Network": {"hidden_size": 7, "sizes": (3, 5), "tied": True}, "More": {}})
        {'Network': [('hidden size', '7'), ('sizes', '3, 5'), ('tied', 'yes')]}
    """
    return {
        title: [(name.replace("_", " "), told(value)) for name, value in options.items()]
        for title, options in groups.items()
        if options
    }


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
