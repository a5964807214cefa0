"""Clips that were decoded once: a second epoch does not decode again, nor does a second run."""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from unrolled.errors import ReaderError
from unrolled.storage import load_tensors, map_tensors, save_tensors

_FORMAT = 1  # of what is kept: raise it when the same key would give other frames
_FRAMES, _DAMAGE = "frames", "damage"


class Decoded(NamedTuple):
    """A clip as it is kept.

    Args:
        frames: ``[T, ...]``, as small as they are needed.
        damage: of its file, a sentence each.
    """

    frames: Tensor
    damage: tuple[str, ...] = ()


class ClipCache:
    """Decoded clips: in memory as far as they fit, or in a folder, for later runs too.

    A clip is known by a key, which must say what it was decoded from and how. In a folder each is a
    file of its own. The first time that it is asked for its checksum is verified, and what is
    damaged is decoded again; from then on its bytes are mapped, so that only frames that are looked
    at are read, and the system keeps in memory what there is room for.

    Args:
        folder: where clips are kept; None keeps them in memory.
        most_bytes: of the clips in memory; those that come when it is full are not kept.

    Attributes:
        homeless: how many clips found no room.

    Example:
        >>> import torch
        >>> cache = ClipCache()
        >>> cache.find("a.mp4 at 5 a second") is None
        True
        >>> kept = cache.keep("a.mp4 at 5 a second", Decoded(torch.zeros(16, 3, 8, 8)))
        >>> cache.find("a.mp4 at 5 a second").frames.shape
        torch.Size([16, 3, 8, 8])
    """

    def __init__(self, folder: str | Path | None = None, *, most_bytes: int = 2**32) -> None:
        self._folder = None if folder is None else Path(folder)
        self._room = most_bytes
        self._clips: dict[str, Decoded] = {}
        self._damage: dict[str, tuple[str, ...]] = {}  # of the files that have been verified
        self.homeless = 0

    def find(self, key: str) -> Decoded | None:
        """Return the clip of a key, if it is kept; it is the cache's own, and not written to."""
        if self._folder is None:
            return self._clips.get(key)
        place = self._place(self._folder, key)
        try:
            if key in self._damage:
                return Decoded(map_tensors(place)[_FRAMES], self._damage[key])
            tensors, metadata = load_tensors(place)
            clip = Decoded(tensors[_FRAMES], tuple(map(str, json.loads(metadata[_DAMAGE]))))
        except (ReaderError, KeyError, ValueError):
            return None
        self._damage[key] = clip.damage
        return clip

    def keep(self, key: str, clip: Decoded) -> None:
        """Keep a clip, if there is room.

        Raises:
            ReaderError: the folder cannot be written to.
        """
        if self._folder is not None:
            self._write(self._folder, key, clip)
        elif clip.frames.nbytes <= self._room:
            self._room -= clip.frames.nbytes
            self._clips[key] = clip._replace(frames=_alone(clip.frames))
        else:
            # What came first stays: in an epoch's random order it does not matter which of them go.
            self.homeless += 1

    def _write(self, folder: Path, key: str, clip: Decoded) -> None:
        told = {_DAMAGE: json.dumps(clip.damage)}
        try:
            save_tensors(self._place(folder, key), {_FRAMES: clip.frames}, told)
        except OSError as error:
            reason = error.strerror or str(error)
            cure = "make room, or name another with --cache"
            raise ReaderError(f"a folder for clips at {folder}", reason, cure) from None
        self._damage[key] = clip.damage

    @staticmethod
    def _place(folder: Path, key: str) -> Path:
        name = hashlib.sha256(f"{_FORMAT} {key}".encode()).hexdigest()
        return folder / name[:2] / f"{name}.safetensors"


def _alone(frames: Tensor) -> Tensor:
    """Return frames that keep no more alive than they are: not a view into something larger."""
    whole = frames.untyped_storage().nbytes() == frames.nbytes
    return frames if whole else frames.clone()
