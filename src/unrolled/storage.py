"""Tensors in one file: written so that a crash cannot halve it, and verified when read."""

import hashlib
import json
import os
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from unrolled.errors import ReaderError

_CHECKSUMS = "sha256"
_METADATA = "__metadata__"  # the metadata's own entry among the checksums


# What a file that somebody else wrote may raise on its way through safetensors and JSON.
_UNREADABLE = (
    SafetensorError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    OSError,
    RecursionError,
)


def write_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace ``path`` by ``data`` at once: after a crash it holds the old bytes or the new.

    Args:
        path: of the file; its folders are made.
        data: all of it.
        durable: wait for the disk; without it, the crash of a whole machine may leave neither.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    if not durable:
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name is durable only with its folder
    finally:
        os.close(folder)


def checksum(tensor: Tensor) -> str:
    """Return the SHA-256 of a tensor's dtype, shape and bytes."""
    head = f"{tensor.dtype} {list(tensor.shape)} ".encode()
    return hashlib.sha256(head + save({"": tensor.cpu().contiguous()})[8:]).hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _metadata_checksum(metadata: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(metadata, sort_keys=True).encode()).hexdigest()


def save_tensors(
    path: Path, tensors: dict[str, Tensor], metadata: dict[str, str], *, durable: bool = True
) -> None:
    """Write ``tensors`` and ``metadata`` as one safetensors file, with a checksum a tensor.

    Args:
        path: of the file.
        tensors: by name.
        metadata: words that go with them.
        durable: as of ``write_file``.
    Example:
        >>> import tempfile, torch
        >>> path = Path(tempfile.mkdtemp()) / "state.safetensors"
        >>> save_tensors(path, {"h": torch.ones(2)}, {"steps": "5"})
        >>> load_tensors(path)
        ({'h': tensor([1., 1.])}, {'steps': '5'})
    """
    # Clones, because the format has no word for two names of one tensor.
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    sums = {name: checksum(tensor) for name, tensor in plain.items()}
    sums[_METADATA] = _metadata_checksum(metadata)
    write_file(path, save(plain, {**metadata, _CHECKSUMS: json.dumps(sums)}), durable=durable)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read what ``save_tensors`` wrote.

    Raises:
        ReaderError: the file is missing, is not a safetensors file, or a tensor is damaged.
    """
    if not path.is_file():
        raise ReaderError(f"a file at {path}", "nothing there")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        sums = json.loads(metadata.pop(_CHECKSUMS))
        intact = sums.pop(_METADATA) == _metadata_checksum(metadata)
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ReaderError(f"a safetensors file with checksums at {path}", reason) from None
    if not intact:
        raise ReaderError(f"the metadata of {path} as it was saved", "damaged bytes")
    for name in sorted(tensors.keys() | sums.keys()):
        if name not in tensors or sums.get(name) != checksum(tensors[name]):
            raise ReaderError(f"tensor {name!r} of {path} as it was saved", "damaged bytes")
    return tensors, metadata


def map_tensors(path: Path) -> dict[str, Tensor]:
    """Map what ``load_tensors`` has verified before: bytes are read when they are looked at.

    Raises:
        ReaderError: the file is missing, or is not a safetensors file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ReaderError(f"a safetensors file at {path}", reason) from None
