"""What a program runs on: versions, the machine, and the optional parts that are installed."""

import os
import platform
import re
from importlib import metadata
from importlib.util import find_spec
from typing import Any

import torch

import unrolled
from unrolled.kernels import native


def environment() -> dict[str, Any]:
    """Return what a report of a fault should begin with.

    Example:
        >>> "native_path" in environment()
        True
    """
    return {
        "unrolled": unrolled.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": metadata.version("numpy"),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "cpus_usable": _usable_cpus(),
        "torch_threads": torch.get_num_threads(),
        "device": _device(),
        "native_path": native.available() or "none: pure Python",
        "extras": extras(),
    }


def extras() -> dict[str, list[str]]:
    """Return for each optional extra of the package what it lacks; an empty list is complete."""
    try:
        requirements = metadata.requires("unrolled") or []
    except metadata.PackageNotFoundError:  # run from its sources
        return {}
    missing: dict[str, list[str]] = {}
    for requirement in requirements:
        if match := re.match(r"([\w.-]+).*extra == ['\"]([\w-]+)['\"]", requirement):
            package, extra = match.groups()
            missing.setdefault(extra, [])
            if not _is_installed(package):
                missing[extra].append(package)
    return missing


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return find_spec(package.replace("-", "_")) is not None
    return True


def _usable_cpus() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _device() -> str:
    if torch.cuda.is_available():
        return f"cuda: {torch.cuda.get_device_name()}"
    return "mps" if torch.backends.mps.is_available() else "cpu"
