"""Sequence models for vision, one step at a time.

Names are imported when they are first used, so that ``import unrolled`` stays fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unrolled import (
        cells,
        decoding,
        encoders,
        errors,
        export,
        layers,
        metrics,
        models,
        nn,
        streaming,
        testing,
    )
    from unrolled.recurrence import Recurrence
    from unrolled.registry import build, register
    from unrolled.tasks.run import load, resume, train

__version__ = "0.1.0"

__all__ = [
    "Recurrence",
    "__version__",
    "build",
    "cells",
    "decoding",
    "encoders",
    "errors",
    "export",
    "layers",
    "load",
    "metrics",
    "models",
    "nn",
    "register",
    "resume",
    "streaming",
    "testing",
    "train",
]

_HOMES = {
    "Recurrence": "unrolled.recurrence",
    "build": "unrolled.registry",
    "load": "unrolled.tasks.run",
    "register": "unrolled.registry",
    "resume": "unrolled.tasks.run",
    "train": "unrolled.tasks.run",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in __all__:
        return import_module(f"unrolled.{name}")
    raise AttributeError(f"module 'unrolled' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
