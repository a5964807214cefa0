"""Captions of pictures, in the formats that people have: COCO, Karpathy, Flickr, CSV."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from unrolled.errors import ReaderError
from unrolled.readers.text import read_text
from unrolled.world import Box, SceneObject

_SPLITS = {"restval": "train", "val": "valid", "validation": "valid"}  # of Karpathy's files
_FLICKR_LINE = re.compile(r"(?P<name>[^\t]+?)(?:#\d+)?\t(?P<caption>.*)")


Objects = tuple[SceneObject, ...]


class CaptionedPicture(NamedTuple):
    """A picture's file name and all its captions; its part and its objects where the file says so.

    Args:
        name: of the file, as it is written.
        captions: in the order of the file.
        part: "train", "valid" or "test".
        objects: what is in it, in its own pixels.
    """

    name: str
    captions: tuple[str, ...]
    part: str | None = None
    objects: Objects | None = None


class Damaged(NamedTuple):
    """An entry that is no caption of a picture: where it stands, why, and of which picture."""

    where: str  # "line 7", "annotation 7", "image 7"
    reason: str
    name: str | None = None


@dataclass(frozen=True)
class Captions:
    """What a file of captions holds.

    Args:
        pictures: in the order in which the file first names them.
        damaged: entries that were left out.
        layout: which of the formats it is: coco, karpathy, flickr or csv.
    """

    pictures: tuple[CaptionedPicture, ...]
    damaged: tuple[Damaged, ...]
    layout: str


class _Entry(NamedTuple):
    where: str
    name: str
    caption: str
    part: str | None = None
    objects: Objects | None = None


_Entries = Iterator[_Entry | Damaged]


def read_captions(path: str | Path, *, encoding: str = "utf-8") -> Captions:
    """Read the captions of COCO (2014, 2017), Karpathy's splits, Flickr's token.txt or a CSV.

    A JSON file is COCO's if it has ``annotations``, Karpathy's if its ``images`` have
    ``sentences``. A CSV begins with the line ``image,caption``; any other text is Flickr's,
    ``name#number<TAB>caption``. All captions of a picture stay together. For films a CSV may say
    ``video`` for ``image``; a column ``part`` may follow. An image of Karpathy's format may have
    ``objects``, a list such as ``[{"name": "dog", "box": [left, top, right, bottom]}]`` in pixels,
    with ``colour`` and ``size`` where there is a word for them.

    Raises:
        ReaderError: the file cannot be read, or has no caption at all.
    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "captions.csv"
        >>> _ = path.write_text("image,caption\\na.jpg,A dog.\\na.jpg,The dog.\\nb.jpg,\\n")
        >>> found = read_captions(path)
        >>> found.pictures[0].captions, found.damaged
        (('A dog.', 'The dog.'), (Damaged(where='line 4', reason='no caption', name='b.jpg'),))
    """
    path = Path(path)
    text = read_text(path, encoding=encoding)
    layout, entries = _entries(path, text)
    captions: dict[str, list[str]] = {}
    first: dict[str, _Entry] = {}
    damaged = []
    for entry in entries:
        if isinstance(entry, Damaged):
            damaged.append(entry)
        elif not entry.caption.strip():
            damaged.append(Damaged(entry.where, "no caption", entry.name))
        else:
            captions.setdefault(entry.name, []).append(" ".join(entry.caption.split()))
            first.setdefault(entry.name, entry)
    if not captions:
        told = f"; {damaged[0].where}: {damaged[0].reason}" if damaged else ""
        raise ReaderError(f"captions in {path}", f"none{told}", f"it was read as {layout}")
    pictures = (
        CaptionedPicture(name, tuple(said), first[name].part, first[name].objects)
        for name, said in captions.items()
    )
    return Captions(tuple(pictures), tuple(damaged), layout)


def _entries(path: Path, text: str) -> tuple[str, _Entries]:
    if text.lstrip()[:1] in ("{", "["):
        return _json_entries(path, text)
    header = [column.strip().lower() for column in text.partition("\n")[0].split(",")]
    if "caption" in header and {"image", "video"} & set(header):
        return "csv", _csv_entries(text, header)
    return "flickr", _flickr_entries(text)


def _json_entries(path: Path, text: str) -> tuple[str, _Entries]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReaderError(f"JSON in {path}", str(error) or "nesting without end") from None
    readers: Mapping[str, Callable[..., _Entries]] = {"coco": _coco, "karpathy": _karpathy}
    images = content.get("images") if isinstance(content, dict) else None
    annotations = content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(images, list):
        expected = f'"images" and "annotations", or "images" with "sentences", in {path}'
        raise ReaderError(expected, "neither", "pass the file of captions, not of results or boxes")
    layout = "coco" if isinstance(annotations, list) else "karpathy"
    return layout, readers[layout](images, annotations)


def _coco(images: Sequence[Any], annotations: Sequence[Any]) -> _Entries:
    names = {
        image["id"]: image["file_name"]
        for image in images
        if isinstance(image, dict)
        and isinstance(image.get("id"), int | str)
        and isinstance(image.get("file_name"), str)
    }
    silent = dict.fromkeys(names)
    for number, annotation in enumerate(annotations):
        where = f"annotation {number}"
        known = annotation if isinstance(annotation, dict) else {}
        image, caption = known.get("image_id"), known.get("caption")
        if not isinstance(image, int | str) or not isinstance(caption, str):
            yield Damaged(where, "no image_id or no caption")
        elif image not in names:
            yield Damaged(where, f"its image {image} is not among the images")
        else:
            silent.pop(image, None)
            yield _Entry(where, names[image], caption)
    for image in silent:
        yield Damaged(f"image {image}", "no caption", names[image])


def _karpathy(images: Sequence[Any], _: object) -> _Entries:
    for number, image in enumerate(images):
        where = f"image {number}"
        known = image if isinstance(image, dict) else {}
        name, sentences, split = (known.get(key) for key in ("filename", "sentences", "split"))
        if not isinstance(name, str) or not isinstance(sentences, list):
            told = name if isinstance(name, str) else None
            yield Damaged(where, "no filename or no sentences", told)
            continue
        folder = known.get("filepath")
        name = f"{folder}/{name}" if isinstance(folder, str) and folder else name
        part = _SPLITS.get(split, split) if isinstance(split, str) else None
        objects = _objects(known.get("objects", []))
        if objects is None:
            yield Damaged(
                where, "objects that are not all of a name and a box of four numbers", name
            )
        if not sentences:
            yield Damaged(where, "no caption", name)
        for sentence in sentences:
            caption = sentence.get("raw") if isinstance(sentence, dict) else None
            yield _Entry(
                where, name, caption if isinstance(caption, str) else "", part, objects or None
            )


def _objects(listed: Any) -> Objects | None:
    """Return the objects that an image lists; None if anything is wrong with them."""
    found: list[SceneObject] = []
    for thing in listed if isinstance(listed, list) else [None]:
        known = thing if isinstance(thing, dict) else {}
        noun, colour, size = (known.get(key, "") for key in ("name", "colour", "size"))
        box = known.get("box")
        corners = [n for n in box if isinstance(n, int | float)] if isinstance(box, list) else []
        if not (noun and all(isinstance(word, str) for word in (noun, colour, size))):
            return None
        if len(corners) != 4 or not all(map(isfinite, corners)):
            return None
        found.append(SceneObject(noun, colour, size, Box(*map(float, corners))))
    return tuple(found)


def _csv_entries(text: str, header: Sequence[str]) -> _Entries:
    rows = csv.reader(io.StringIO(text))
    next(rows)
    image = header.index("image" if "image" in header else "video")
    caption, part = header.index("caption"), header.index("part") if "part" in header else None
    for row in rows:
        where = f"line {rows.line_num}"
        if len(row) != len(header):
            yield Damaged(where, f"{len(row)} columns and not {len(header)}")
        elif not row[image].strip():
            yield Damaged(where, "no image")
        else:
            named = "" if part is None else row[part].strip().lower()
            yield _Entry(where, row[image].strip(), row[caption], _SPLITS.get(named, named) or None)


def _flickr_entries(text: str) -> _Entries:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        found = _FLICKR_LINE.fullmatch(line)
        if found is None:
            yield Damaged(f"line {number}", f"no tab between image and caption: {line[:40]!r}")
        else:
            yield _Entry(f"line {number}", found["name"], found["caption"])
