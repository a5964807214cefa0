"""Decoded clips and features of pictures, computed once: no later epoch or run does it again."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from unrolled.errors import ConfigError, ReaderError
from unrolled.storage import checksum, load_tensors, map_tensors, save_tensors

_FORMAT = 2  # of what is kept: raise it when the same key would give another tensor
_TENSOR, _DAMAGE = "tensor", "damage"


class Kept(NamedTuple):
    """A tensor as it is kept.

    Args:
        tensor: the frames of a clip, or features; as small as they are needed.
        damage: of the file that it was made from, a sentence each.
    """

    tensor: Tensor
    damage: tuple[str, ...] = ()


class TensorCache:
    """Tensors by a key: in memory as far as they fit, or in a folder, for later runs too.

    The key must say what a tensor was made from and how (``fingerprint_of``). In a folder each is a
    file of its own. The first time that it is asked for its checksum is verified, and what is
    damaged is not there; from then on its bytes are mapped, so that only what is looked at is read,
    and the system keeps in memory what there is room for.

    Args:
        folder: where tensors are kept; None keeps them in memory.
        most_bytes: of the tensors in memory; those that come when it is full are not kept.

    Attributes:
        homeless: how many tensors found no room.

    Raises:
        ConfigError: the folder cannot be made.
    Example:
        >>> import torch
        >>> cache = TensorCache()
        >>> cache.find("a.mp4 at 5 a second") is None
        True
        >>> cache.keep("a.mp4 at 5 a second", Kept(torch.zeros(16, 3, 8, 8)))
        >>> cache.find("a.mp4 at 5 a second").tensor.shape
        torch.Size([16, 3, 8, 8])
    """

    def __init__(self, folder: str | Path | None = None, *, most_bytes: int = 2**32) -> None:
        self._folder = None if folder is None else Path(folder)
        self._room = most_bytes
        self._tensors: dict[str, Kept] = {}
        self._damage: dict[str, tuple[str, ...]] = {}  # of the files that have been verified
        self.homeless = 0
        if self._folder is not None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise _unusable(self._folder, error) from None

    def find(self, key: str) -> Kept | None:
        """Return what is kept under a key, if anything; it is the cache's own, not written to."""
        if self._folder is None:
            return self._tensors.get(key)
        place = _place(self._folder, key)
        try:
            if key in self._damage:
                return Kept(map_tensors(place)[_TENSOR], self._damage[key])
            tensors, metadata = load_tensors(place)
            found = Kept(tensors[_TENSOR], tuple(map(str, json.loads(metadata[_DAMAGE]))))
        except (ReaderError, KeyError, ValueError):
            return None
        self._damage[key] = found.damage
        return found

    def keep(self, key: str, kept: Kept) -> None:
        """Keep a tensor, if there is room.

        Raises:
            ConfigError: the folder cannot be written to.
        """
        if self._folder is not None:
            self._write(self._folder, key, kept)
        elif kept.tensor.nbytes <= self._room:
            self._room -= kept.tensor.nbytes
            self._tensors[key] = kept._replace(tensor=_alone(kept.tensor))
        else:
            # What came first stays: in an epoch's random order it does not matter which of them go.
            self.homeless += 1

    def _write(self, folder: Path, key: str, kept: Kept) -> None:
        tensors, told = {_TENSOR: kept.tensor}, {_DAMAGE: json.dumps(kept.damage)}
        try:
            # What a crash of the machine may lose is computed again: no write waits for the disk.
            save_tensors(_place(folder, key), tensors, told, durable=False)
        except OSError as error:
            raise _unusable(folder, error) from None
        self._damage[key] = kept.damage


def fingerprint_of(tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> str:
    """Return a hash of a network's tensors and of whatever else decides what it makes of its input.

    Args:
        tensors: its ``state_dict``.
        settings: its name and options, and the preprocessing, as JSON can hold them.
    """
    sums = {name: checksum(tensor) for name, tensor in sorted(tensors.items())}
    written = json.dumps([sums, dict(settings)], sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()


def _place(folder: Path, key: str) -> Path:
    name = hashlib.sha256(f"{_FORMAT} {key}".encode()).hexdigest()
    return folder / name[:2] / f"{name}.safetensors"


def _alone(tensor: Tensor) -> Tensor:
    """Return a tensor that keeps no more alive than it is: not a view into something larger."""
    whole = tensor.untyped_storage().nbytes() == tensor.nbytes
    return tensor if whole else tensor.clone()


def _unusable(folder: Path, error: OSError) -> ConfigError:
    reason = error.strerror or str(error)
    cure = "make room, or name another with --cache"
    return ConfigError(f"a folder for the cache at {folder}", reason, cure)
