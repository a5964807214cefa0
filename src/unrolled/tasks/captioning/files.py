"""Captioned pictures and films in files: opened once, resized and kept, or rejected by name."""

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from unrolled.errors import ReaderError, UnrolledError
from unrolled.readers.caption_sets import CaptionedFile, CaptionSet, read_caption_set
from unrolled.readers.pictures import decode_picture, read_picture_file
from unrolled.readers.video import DamagedVideoWarning, probe, read_frames
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.learning import Show
from unrolled.tasks.video.preprocessing import Preprocessing
from unrolled.world import Box, SceneObject

_MOST_BYTES = 2**31  # of pixels that are kept in memory; what is beyond is read again each time


@dataclass(frozen=True)
class CaptionItem:
    """A picture or a film, and all its captions.

    Args:
        name: what reports call it.
        captions: all that people said of it.
        objects: what is in it, in pixels of what ``CaptioningData.pixels`` gives; None where the
            data does not say.
        digest: SHA-256 of what it holds, or of what it is made from.
    """

    name: str
    captions: tuple[str, ...]
    objects: tuple[SceneObject, ...] | None
    digest: str


@dataclass(frozen=True)
class CaptionFiles:
    """What could be read of captioned files.

    Args:
        items: all that is usable.
        named_parts: of each item, the part that the data itself puts it in, or None.
        rejected: what is not usable, with the reason.
        damaged: captions that were left out of what is used, and video read as far as possible.
        pixels: gives item i, resized: uint8 [3, H, W], or [T, 3, H, W] of a film.
    """

    items: tuple[CaptionItem, ...]
    named_parts: tuple[str | None, ...]
    rejected: tuple[tuple[str, str], ...]
    damaged: tuple[tuple[str, str], ...]
    pixels: Callable[[int], Tensor]


def read_caption_files(
    source: str,
    options: CaptioningOptions,
    *,
    films: bool = False,
    show: Show = lambda *_: None,
) -> CaptionFiles:
    """Read every picture or film that captions are about.

    Args:
        source: as ``read_caption_set`` takes it.
        options: how they are read.
        films: whether the files are films.
        show: is told how far it is.
    Raises:
        ReaderError: there is nothing that can be used, or with ``strict`` anything is damaged.
    """
    found = read_caption_set(source, images=options.images, encoding=options.encoding)
    reading = Reading(options, films)
    items: list[CaptionItem] = []
    used: list[CaptionedFile] = []
    kept: list[Tensor | None] = []
    rejected, damaged, room = list(found.silent), list(found.damaged), _MOST_BYTES
    for number, file in enumerate(found.files):
        show(number / len(found.files), "reading")
        try:
            seen = reading.read(file)
        except UnrolledError as error:
            rejected.append((str(file.path), error.got))
            continue
        items.append(CaptionItem(file.name, file.captions, seen.objects, seen.digest))
        used.append(file)
        room -= seen.pixels.nbytes
        kept.append(seen.pixels if room >= 0 else None)
        damaged += [(str(file.path), told) for told in seen.damage]
    _require_sound(found, source, len(items), [*rejected, *damaged], options.strict)

    def pixels(number: int) -> Tensor:
        there = kept[number]
        return reading.read(used[number]).pixels if there is None else there

    named = tuple(file.part for file in used)
    return CaptionFiles(tuple(items), named, tuple(rejected), tuple(damaged), pixels)


@dataclass(frozen=True)
class Seen:
    """What there is in a file.

    Args:
        pixels: resized.
        objects: in these pixels.
        digest: SHA-256 of the file.
        damage: in a video that is read all the same.
    """

    pixels: Tensor
    objects: tuple[SceneObject, ...] | None
    digest: str
    damage: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How a captioned file becomes pixels.

    Args:
        options: the size, and how it is brought about.
        films: whether the file is a film.
    """

    options: CaptioningOptions
    films: bool = False

    @property
    def preprocessing(self) -> Preprocessing:
        """The resizing; scale and channels are the network's affair."""
        options = self.options
        return Preprocessing(options.height, options.width, resize=options.resize)

    def read(self, file: CaptionedFile) -> Seen:
        """Read a file.

        Raises:
            ReaderError: it is missing, damaged, or something else.
        """
        return self._film(file) if self.films else self._picture(file)

    def _picture(self, file: CaptionedFile) -> Seen:
        data = read_picture_file(file.path)
        picture = decode_picture(data, file.path)
        frames = picture.pixels[None]
        objects = file.objects and self._moved(file.objects, *frames.shape[-2:])
        return Seen(self._fitted(frames)[0], objects, hashlib.sha256(data).hexdigest())

    def _film(self, file: CaptionedFile) -> Seen:
        info = probe(file.path)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", DamagedVideoWarning)
            seconds = info.start_seconds + info.duration_seconds * _middles(self.options.frames)
            clip = read_frames(file.path, seconds.tolist())
        damage = tuple(str(warning.message) for warning in told)
        return Seen(self._fitted(clip.frames), None, _digest_of_file(file.path), damage)

    def _fitted(self, frames: Tensor) -> Tensor:
        preprocessing = self.preprocessing
        return preprocessing.cut(preprocessing.resized(frames)).clone()

    def _moved(
        self, objects: tuple[SceneObject, ...], height: int, width: int
    ) -> tuple[SceneObject, ...]:
        """Return objects in the resized and cut picture, without those that are cut away."""
        preprocessing = self.preprocessing
        H, W = preprocessing.size_before_cutting(height, width)
        top, left = preprocessing.middle(H, W)
        moved = []
        for thing in objects:
            corners = np.array(thing.box) * ([W / width, H / height] * 2) - ([left, top] * 2)
            least, most = np.zeros(2), np.array([self.options.width, self.options.height])
            low, high = (corners[part].clip(least, most) for part in (slice(2), slice(2, 4)))
            if (low < high).all():
                moved.append(thing._replace(box=Box(*low.tolist(), *high.tolist())))
        return tuple(moved)


def _require_sound(
    found: CaptionSet, source: str, used: int, faults: list[tuple[str, str]], strict: bool
) -> None:
    if used and not (faults and strict):
        return
    name, reason = faults[0]
    got = f"{len(faults):,} faults, first {name}: {reason}"
    if used:
        raise ReaderError(f"nothing damaged in {source}", got, "mend it, or drop --strict")
    cure = f"the files were looked for in {found.folder}: name the folder with --images"
    raise ReaderError(f"pictures that can be read for {source}", got, cure)


def _middles(count: int) -> np.ndarray:
    """Return the middles of so many equal stretches, as shares of the whole."""
    return (np.arange(count) + 0.5) / count


def _digest_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
