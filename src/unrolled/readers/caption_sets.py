"""Captions with the files of what they are about: the data sets as people have them on disk."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from unrolled.errors import ReaderError
from unrolled.readers.captions import CaptionedPicture, Captions, read_captions
from unrolled.readers.text import read_text
from unrolled.world import SceneObject

_OFFICIAL = re.compile(r"captions_(train|val)(20\d\d)\.json")  # COCO's own files
_FOLDERS = (
    "images",
    "Images",
    "Flicker8k_Dataset",  # spelt so in the archive
    "Flickr8k_Dataset",
    "flickr8k-images",
    "flickr30k-images",
    "flickr30k_images",
    "videos",
)
_PROBED = 50  # names that are looked for in a folder
_IN_A_FOLDER = (  # in this order, the first that is there
    "dataset_*.json",
    "dataset.json",
    "*.token.txt",
    "*.token",
    "captions.csv",
    "captions.txt",
)


class CaptionedFile(NamedTuple):
    """A picture or a film with its captions.

    Args:
        path: of its file, which may be missing.
        name: as the file of captions has it.
        captions: all that is said of it.
        part: "train", "valid" or "test" where the data says so.
        objects: what is in it, in its own pixels, where the data says so.
    """

    path: Path
    name: str
    captions: tuple[str, ...]
    part: str | None
    objects: tuple[SceneObject, ...] | None


@dataclass(frozen=True)
class CaptionSet:
    """A data set of captions.

    Args:
        files: the pictures or films that have captions.
        silent: those that have none, with the reason.
        damaged: single captions that cannot be used, and where they stand.
        layout: the format: coco, karpathy, flickr or csv.
        folder: where the pictures were looked for.
    """

    files: tuple[CaptionedFile, ...]
    silent: tuple[tuple[str, str], ...]
    damaged: tuple[tuple[str, str], ...]
    layout: str
    folder: Path


def read_caption_set(
    source: str | Path, *, images: str | Path | None = None, encoding: str = "utf-8"
) -> CaptionSet:
    """Read captions and find the files that they are about; none of those is opened.

    What ``source`` may be: a file of captions, as ``read_captions`` takes it; a folder of COCO with
    ``annotations/captions_train2017.json`` and ``captions_val2017.json`` (or 2014), of which the
    second is the part "test"; or a folder with Karpathy's ``dataset_*.json``, Flickr's token file,
    ``captions.csv`` or Kaggle's ``captions.txt``. Beside Flickr8k's token file, its lists
    ``Flickr_8k.trainImages.txt``, devImages and testImages are its parts.

    Args:
        source: a file or a folder.
        images: the folder that names begin from; left out, the folders that the data sets come with
            are tried, and the one that has most of the first pictures is taken.
        encoding: of the file of captions.
    Raises:
        ReaderError: there are no captions, or no such folder.
    """
    source = Path(source)
    if images is not None and not Path(images).is_dir():
        raise ReaderError(f"a folder of pictures at {images}", "none", "check --images")
    found = _files_of(source)
    sets = [_read(path, part, images, encoding) for path, part in found]
    first = sets[0]
    return CaptionSet(
        tuple(file for read in sets for file in read.files),
        tuple(fault for read in sets for fault in read.silent),
        tuple(fault for read in sets for fault in read.damaged),
        first.layout,
        first.folder,
    )


def _files_of(source: Path) -> list[tuple[Path, str | None]]:
    """Return the files of captions, each with the part that all of it belongs to."""
    if not source.exists():
        raise ReaderError(f"a file or a folder of captions at {source}", "nothing there")
    if not source.is_dir():
        return [(source, None)]
    for home in (source / "annotations", source):
        official = [
            (p, m) for p in sorted(home.glob("*.json")) if (m := _OFFICIAL.fullmatch(p.name))
        ]
        years = sorted({match[2] for _, match in official})
        if official:  # of several years the last one; the two hold the same pictures
            parts = {"train": "train", "val": "test"}
            latest = [(p, match[1]) for p, match in official if match[2] == years[-1]]
            return [(p, parts[which] if len(latest) > 1 else None) for p, which in latest]
    for pattern in _IN_A_FOLDER:
        path = next(iter(sorted(source.glob(pattern))), None)
        if path is not None:
            return [(path, None)]
    expected = (
        f"annotations/captions_*.json, dataset_*.json, a token file or captions.csv in {source}"
    )
    raise ReaderError(expected, "none of them", "name the file of captions itself")


def _read(path: Path, part: str | None, images: str | Path | None, encoding: str) -> CaptionSet:
    found = read_captions(path, encoding=encoding)
    parts = _listed_parts(path, found.pictures)
    folder = _folder(path, [p.name for p in found.pictures], images)
    files = tuple(
        CaptionedFile(
            folder / picture.name,
            picture.name,
            picture.captions,
            part or picture.part or parts.get(picture.name),
            picture.objects,
        )
        for picture in found.pictures
    )
    return CaptionSet(files, *_faults(path, found), found.layout, folder)


def _faults(
    path: Path, found: Captions
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Return the pictures that are left without a caption, and the captions that are lost."""
    used = {picture.name for picture in found.pictures}
    silent: dict[str, str] = {}
    damaged = []
    for entry in found.damaged:
        told = f"{path}, {entry.where}"
        if entry.name is None or entry.name in used:
            damaged.append((told, entry.reason))
        else:
            silent.setdefault(f"{told}: {entry.name}", entry.reason)
    return tuple(silent.items()), tuple(damaged)


def _listed_parts(path: Path, pictures: Sequence[CaptionedPicture]) -> dict[str, str]:
    """Return the parts that lists beside Flickr8k's token file name."""
    parts: dict[str, str] = {}
    if not path.name.endswith((".token.txt", ".token")):
        return parts
    lists = {"train": "train", "dev": "valid", "test": "test"}
    for written, part in lists.items():
        for listed in sorted(path.parent.glob(f"*.{written}Images.txt")):
            parts |= dict.fromkeys(read_text(listed).split(), part)
    if parts:  # who is in none of the lists is left out of all parts, as the data set has it
        parts |= {p.name: "unlisted" for p in pictures if p.name not in parts}
    return parts


def _folder(path: Path, names: Sequence[str], images: str | Path | None) -> Path:
    """Return the folder in which most of the first files are."""
    stem = path.stem.removeprefix("captions_")  # COCO's pictures lie in train2017 and the like
    home = path.parent
    if images is not None:
        roots = [Path(images)]
    else:
        roots = [home, *(home / name for name in _FOLDERS)]
        if home.name == "annotations":
            roots += [home.parent, *(home.parent / name for name in _FOLDERS)]
    places = [place for root in roots for place in (root, root / stem)]
    probed = names[:_PROBED]
    return max(places, key=lambda place: _hits(place, probed))


def _hits(place: Path, names: Iterable[str]) -> int:
    return sum((place / name).is_file() for name in names) if place.is_dir() else 0
