"""Run as a program: copy the arrays of an HDF5 file to an ``.npz`` file; stops at all else."""

import sys
from typing import Any

import h5py
import numpy as np

_DEEPEST, _MOST_ARRAYS = 32, 100_000


def main(path: str, copy: str, most_bytes: int) -> None:
    """Copy every array of numbers, under its path in the file."""
    found: dict[str, Any] = {}
    with h5py.File(path, "r") as file:
        _visit(file, "", most_bytes, found)
    np.savez(copy, **found)


def _visit(group: Any, above: str, most_bytes: int, found: dict[str, Any]) -> None:
    if above.count("/") > _DEEPEST:
        sys.exit("groups without end")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            sys.exit(f"a link to elsewhere, {above}{name}")
        item = group[name]
        if isinstance(item, h5py.Group):
            _visit(item, f"{above}{name}/", most_bytes, found)
            continue
        plain = item.dtype.kind in "fiu" and not item.external and not item.is_virtual
        if not plain or item.compression not in (None, "gzip"):
            sys.exit(f"no plain array of numbers, {above}{name}")
        if item.nbytes + sum(array.nbytes for array in found.values()) > most_bytes:
            sys.exit(f"more than {most_bytes:,} bytes, twice what the network holds")
        if len(found) == _MOST_ARRAYS:
            sys.exit(f"more than {_MOST_ARRAYS:,} arrays")
        found[above + name] = item[()]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
