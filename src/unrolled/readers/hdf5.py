"""Arrays of an HDF5 file, read in a process of its own, since that library may crash."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from unrolled.errors import ConfigError, ReaderError

_SECONDS = 60.0
_PROGRAM = Path(__file__).with_name("_hdf5_process.py")


def read_hdf5(path: Path, *, most_bytes: int) -> dict[str, np.ndarray]:
    """Return every array of numbers by its path in the file.

    Links to other files, arrays that lie elsewhere and filters other than gzip are refused. The
    file is read in a child process, so that a crash of the HDF5 library is an error like others.

    Args:
        path: the file.
        most_bytes: of all arrays together.
    Raises:
        ReaderError: damaged, or with more in it than arrays of numbers.
        ConfigError: h5py is not installed.
    """
    if find_spec("h5py") is None:
        raise ConfigError("h5py, to read .h5", "none", "pip install 'unrolled[convert]'")
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "arrays.npz"
        command = [sys.executable, "-I", str(_PROGRAM), str(path), str(copy), str(most_bytes)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            raise ReaderError(f"arrays in {path}", f"nothing in {_SECONDS:.0f} s") from None
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"a crash ({done.returncode})"]
            raise ReaderError(f"an HDF5 file of arrays of numbers at {path}", lines[-1][:200])
        with np.load(copy, allow_pickle=False) as arrays:
            return {name.removeprefix("/"): arrays[name] for name in arrays.files}
