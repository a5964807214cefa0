"""Tensors of a file that another project wrote, read so that nothing in it can run."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.hdf5 import read_hdf5
from unrolled.readers.known_weights import how_to_get_weights

_NESTED = ("state_dict", "model_state_dict", "model")  # where a checkpoint keeps its weights
_DEEPEST = 1000  # a JSON or a dictionary that nests deeper is not a file of weights


def read_weights(path: Path, *, most_bytes: int) -> dict[str, Tensor]:
    """Read every tensor of a ``.pth``, ``.pt``, ``.safetensors``, ``.npz`` or ``.h5`` file.

    A ``.pth`` is a pickle, and is read by torch's reader of tensors alone: one that holds anything
    that is not a tensor, a number, a text or a collection of them is refused. Arrays of objects in
    an ``.npz``, and links to other files in an ``.h5``, are refused too.

    Args:
        path: the file; its ending says what it is.
        most_bytes: more than this is not unpacked, whatever the file says of itself.
    Raises:
        ReaderError: missing, damaged, too large, or with more in it than tensors.
        ConfigError: an ending that is not known.
    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "small.pth"
        >>> torch.save({"w": torch.ones(2)}, path)
        >>> read_weights(path, most_bytes=100)
        {'w': tensor([1., 1.])}
    """
    read = _READERS.get(path.suffix)
    if read is None:
        raise ConfigError(f"a file of weights that ends in {', '.join(_READERS)}", str(path))
    if not path.is_file():
        got = "a folder" if path.is_dir() else "nothing there"
        raise ReaderError(f"a file at {path}", got, how_to_get_weights(path))
    try:
        tensors = read(path, most_bytes)
    except (ReaderError, ConfigError):
        raise
    except Exception as error:  # readers of strangers' files raise whatever they meet
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ReaderError(f"{path} to be a {path.suffix} file of tensors", reason) from None
    if not tensors:
        raise ReaderError(f"tensors in {path}", "none")
    return tensors


def _read_pickle(path: Path, most_bytes: int) -> dict[str, Tensor]:
    _require_size(path, path.stat().st_size, 2 * most_bytes)  # optimisers may lie beside
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise ReaderError(f"{path} as torch.save writes it", "compressed parts")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ReaderError(f"{path} to hold tensors alone", _reason(error)) from None
    for name in _NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    if not isinstance(found, Mapping):
        raise ReaderError(f"a table of tensors in {path}", f"a {type(found).__name__}")
    return _tensors_of(found, path)


def _reason(error: Exception) -> str:
    """Say in a line what torch's reader of tensors says in a page."""
    words = " ".join(str(error).split())
    named = words.partition("GLOBAL ")[2].split(" ")[0]
    return f"a pickle that names {named}" if named else f"{type(error).__name__}: {words[:120]}"


def _read_safetensors(path: Path, most_bytes: int) -> dict[str, Tensor]:
    _require_size(path, path.stat().st_size, 2 * most_bytes)
    with safe_open(path, framework="pt") as file:
        return _tensors_of({name: file.get_tensor(name) for name in file.keys()}, path)  # noqa: SIM118


def _read_npz(path: Path, most_bytes: int) -> dict[str, Tensor]:
    with zipfile.ZipFile(path) as archive:
        _require_size(path, sum(entry.file_size for entry in archive.infolist()), 2 * most_bytes)
        arrays = {}
        for entry in archive.infolist():
            array = np.load(io.BytesIO(archive.read(entry)), allow_pickle=False)
            arrays[entry.filename.removesuffix(".npy")] = torch.from_numpy(array)
    return _tensors_of(arrays, path)


def _read_hdf5(path: Path, most_bytes: int) -> dict[str, Tensor]:
    arrays = read_hdf5(path, most_bytes=2 * most_bytes)
    return _tensors_of({name: torch.from_numpy(a) for name, a in arrays.items()}, path)


def _tensors_of(found: Mapping[Any, Any], path: Path) -> dict[str, Tensor]:
    tensors = {}
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise ReaderError(f"tensors alone in {path}", f"a {type(value).__name__} as {name!r}")
        if value.layout != torch.strided or value.is_quantized or value.is_meta:
            raise ReaderError(f"plain tensors in {path}", f"{name!r} of {value.layout}")
        tensors[name] = value.detach()
    return tensors


def _require_size(path: Path, size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise ReaderError(
            f"at most {most_bytes:,} bytes in {path}, twice what the network holds",
            f"{size:,}",
            "name the network that these weights are of by --to",
        )


_READERS: dict[str, Callable[[Path, int], dict[str, Tensor]]] = {
    ".pth": _read_pickle,
    ".pt": _read_pickle,
    ".safetensors": _read_safetensors,
    ".npz": _read_npz,
    ".h5": _read_hdf5,
    ".hdf5": _read_hdf5,
}
