"""What a network that stays as it is made of pictures: computed once, kept from run to run."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.storage import checksum, save_tensors


class FeatureCache:
    """Features on disk, under the fingerprint of the network and of how it is shown pictures.

    A picture is known by the SHA-256 of its file: one that changes, another network or another size
    is computed anew. Each is read from the disk when it is asked for, and checked; what is damaged
    is not there.

    Args:
        folder: where they are kept; networks share it.
        fingerprint: ``fingerprint_of`` the network.
    Raises:
        ConfigError: the folder cannot be made.
    Example:
        >>> import tempfile, torch
        >>> cache = FeatureCache(tempfile.mkdtemp(), "a network")
        >>> cache.write(["picture 1", "picture 2"], torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        >>> cache.read("picture 2"), cache.read("picture 3")
        (tensor([3., 4.]), None)
    """

    def __init__(self, folder: str | Path, fingerprint: str) -> None:
        self._home = Path(folder) / hashlib.sha256(fingerprint.encode()).hexdigest()[:16]
        try:
            self._home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or "an error"
            raise ConfigError(f"a folder for features at {folder}", reason) from None
        self._places: dict[str, _Place] = {}
        for path in sorted(self._home.glob("*.safetensors")):
            self._places |= _places_in(path)

    def read(self, digest: str) -> Tensor | None:
        """Return the features of a picture; None where they are not there as they were written."""
        place = self._places.get(digest)
        if place is None:
            return None
        try:
            with safe_open(place.path, framework="pt") as file:
                features: Tensor = file.get_slice("features")[place.row]
        except (SafetensorError, OSError, IndexError):
            return None
        return features if checksum(features) == place.checksum else None

    def write(self, digests: Sequence[str], features: Tensor) -> None:
        """Keep the features ``[N, ...]`` of N pictures, in one file."""
        name = hashlib.sha256(" ".join(digests).encode()).hexdigest()[:24]
        path = self._home / f"{name}.safetensors"
        sums = [checksum(row) for row in features]
        told = json.dumps(list(zip(digests, sums, strict=True)))
        save_tensors(path, {"features": features}, {"pictures": told})
        self._places |= _places_in(path)


class _Place(NamedTuple):
    """Where the features of a picture are."""

    path: Path
    row: int
    checksum: str


def fingerprint_of(tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> str:
    """Return a hash of a network's tensors and of whatever else decides what it makes of a picture.

    Args:
        tensors: its ``state_dict``.
        settings: its name and options, and the preprocessing, as JSON can hold them.
    """
    sums = {name: checksum(tensor) for name, tensor in sorted(tensors.items())}
    written = json.dumps([sums, dict(settings)], sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()


def _places_in(path: Path) -> dict[str, _Place]:
    """Return where the features of each picture are in a file; nothing of a damaged one."""
    try:
        with safe_open(path, framework="pt") as file:
            told = json.loads(file.metadata()["pictures"])
        return {str(digest): _Place(path, row, sum_) for row, (digest, sum_) in enumerate(told)}
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        return {}
