"""Clips that were decoded once: a second epoch does not decode again."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from unrolled.errors import ReaderError
from unrolled.readers.clip import Clip
from unrolled.readers.video import read_clip, warn_of_damage
from unrolled.readers.video_process import Damage
from unrolled.storage import load_tensors, save_tensors

_FORMAT = 1  # of what is kept: raise it when the same settings would read other frames
_BLOCK = 2**20


class ClipCache:
    """Small clips, kept as bytes in memory and, with a folder, on disk.

    A clip is known by the SHA-256 of its file and by how it is read, so a file that changes, or
    another size, is read anew, and a copy is not. What is damaged on disk is decoded again.

    Args:
        folder: where clips are kept from run to run; None for memory alone.
        frames_per_second: of the clips; None for the files' own.
        height: of the pictures, as in ``read_clip``.
        width: of the pictures.
        most_bytes: of the clips kept in memory; those unused for longest go.
        on_damage: is told of damage in a file once, when it is first read, from disk too.
    Example:
        >>> cache = ClipCache(frames_per_second=5, height=112, width=112)
        >>> cache.hits, cache.misses
        (0, 0)
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        frames_per_second: float | None = None,
        height: int | None = None,
        width: int | None = None,
        most_bytes: int = 2**30,
        on_damage: Callable[[Damage], None] = warn_of_damage,
    ) -> None:
        self._folder = None if folder is None else Path(folder)
        self._rate, self._height, self._width = frames_per_second, height, width
        self._most_bytes, self._bytes = most_bytes, 0
        self._on_damage = on_damage
        self._clips: OrderedDict[str, Clip] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def read(
        self,
        path: str | Path,
        *,
        start_seconds: float | None = None,
        stop_seconds: float | None = None,
    ) -> Clip:
        """Return a stretch of a video; what is returned is the cache's own, and is not written to.

        Raises:
            ReaderError: nothing can be read.
        """
        path = Path(path)
        key = self._key(path, start_seconds, stop_seconds)
        clip = self._clips.get(key)
        if clip is not None:
            self._clips.move_to_end(key)
            self.hits += 1
            return clip
        clip = self._load(key, path)
        if clip is None:
            self.misses += 1
            clip = self._decode(key, path, start_seconds, stop_seconds)
        self._keep(key, clip)
        return clip

    def _key(self, path: Path, start: float | None, stop: float | None) -> str:
        settings = [_FORMAT, start, stop, self._rate, self._height, self._width]
        written = json.dumps([hash_file(path), *settings])
        return hashlib.sha256(written.encode()).hexdigest()

    def _place(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / key[:2] / f"{key}.safetensors"

    def _load(self, key: str, path: Path) -> Clip | None:
        if self._folder is None or not self._place(key).is_file():
            return None
        try:
            tensors, metadata = load_tensors(self._place(key))
            clip = Clip(tensors["frames"], tensors["pts_seconds"])
            damage = json.loads(metadata["damage"])
        except (ReaderError, KeyError, ValueError):
            return None
        self.hits += 1
        for frame, seconds, words in damage:
            self._on_damage(Damage(path, frame, seconds, words))
        return clip

    def _decode(self, key: str, path: Path, start: float | None, stop: float | None) -> Clip:
        damage: list[Damage] = []
        clip = read_clip(
            path,
            start_seconds=start,
            stop_seconds=stop,
            frames_per_second=self._rate,
            height=self._height,
            width=self._width,
            on_damage=damage.append,
        )
        if self._folder is not None:
            told = json.dumps([(d.frame, d.seconds, d.words) for d in damage])
            save_tensors(self._place(key), clip._asdict(), {"damage": told})
        for found in damage:
            self._on_damage(found)
        return clip

    def _keep(self, key: str, clip: Clip) -> None:
        self._clips[key] = clip
        self._bytes += clip.frames.nbytes
        while self._bytes > self._most_bytes:
            _, dropped = self._clips.popitem(last=False)
            self._bytes -= dropped.frames.nbytes


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file; one that has not changed since is not read again.

    Raises:
        ReaderError: it cannot be read.
    """
    try:
        stat = path.stat()
        return _hash(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise ReaderError(f"a video at {path}", error.strerror or "an error") from None


@lru_cache(maxsize=2**16)
def _hash(path: Path, _size: int, _changed: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
