"""What the library has by name, with a line on each."""

import inspect

from unrolled import layers
from unrolled.recurrence import Recurrence
from unrolled.registry import lookup, names


def catalogue() -> dict[str, dict[str, str]]:
    """Return names with their first lines: models, encoders and cells of the registry, and layers.

    A name of the registry is for ``unrolled.build``; a layer goes by its class.

    Example:
        >>> catalogue()["cells"]["lstm"]
        'Long short-term memory: a cell that gates decide to write, to keep and to show.'
    """
    kinds = ("models", "encoders", "cells", "layers", "registered")
    found: dict[str, dict[str, str]] = {kind: {} for kind in kinds}
    for name in names():
        cls = lookup(name)
        floor = cls.__module__.split(".")[1:2]
        kind = floor[0] if floor and floor[0] in found else "registered"
        found[kind][name] = _first_line(cls)
    for name in layers.__all__:
        cls = getattr(layers, name)
        if isinstance(cls, type) and issubclass(cls, Recurrence):
            found["layers"][name] = _first_line(cls)
    return {kind: members for kind, members in found.items() if members}


def _first_line(cls: type) -> str:
    return (inspect.getdoc(cls) or "").split("\n")[0].replace("``", "")
