"""What a check of data finds; the same for every task."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Table:
    """Rows to be shown.

    Args:
        title: a line above it.
        columns: headings; none is shown where all are empty.
        rows: cells, as plain text.
        right: headings of the columns of numbers.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[str] = ()


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the least, the median and the most of figures.

    Example:
        >>> spread([3.0, 1.0, 7.0])
        {'least': 1.0, 'median': 3.0, 'most': 7.0}
    """
    return {"least": min(values), "median": median(values), "most": max(values)}


@dataclass(frozen=True)
class DataReport:
    """What data holds, what is damaged, and what a model will see of it.

    Args:
        figures: all of it, as JSON can hold it.
        tables: the same for a reader.
        damage: what must be mended, a sentence each.
        notes: what may surprise, a sentence each.
    """

    figures: dict[str, Any]
    tables: list[Table] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
