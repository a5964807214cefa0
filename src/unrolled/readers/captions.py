"""Captions of pictures, in the formats that people have: COCO, Karpathy, Flickr, CSV."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from unrolled.errors import ReaderError
from unrolled.readers.text import read_text

_SPLITS = {"restval": "train", "val": "valid", "validation": "valid"}  # of Karpathy's files
_FLICKR_LINE = re.compile(r"(?P<name>[^\t]+?)(?:#\d+)?\t(?P<caption>.*)")


class CaptionedPicture(NamedTuple):
    """A picture's file name, all its captions, and its part where the file says one."""

    name: str
    captions: tuple[str, ...]
    part: str | None = None


class Damaged(NamedTuple):
    """An entry that is no caption of a picture: where it stands, and why."""

    where: str  # "line 7", "annotation 7", "image 7"
    reason: str


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


_Entries = Iterator[_Entry | Damaged]


def read_captions(path: str | Path, *, encoding: str = "utf-8") -> Captions:
    """Read the captions of COCO (2014, 2017), Karpathy's splits, Flickr's token.txt or a CSV.

    A JSON file is COCO's if it has ``annotations``, Karpathy's if its ``images`` have
    ``sentences``. A CSV begins with the line ``image,caption``; any other text is Flickr's,
    ``name#number<TAB>caption``. All captions of a picture stay together.

    Raises:
        ReaderError: the file cannot be read, or has no caption at all.
    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "captions.csv"
        >>> _ = path.write_text("image,caption\\na.jpg,A dog.\\na.jpg,The dog.\\nb.jpg,\\n")
        >>> found = read_captions(path)
        >>> found.pictures[0].captions, found.damaged
        (('A dog.', 'The dog.'), (Damaged(where='line 4', reason='no caption'),))
    """
    path = Path(path)
    text = read_text(path, encoding=encoding)
    layout, entries = _entries(path, text)
    captions: dict[str, list[str]] = {}
    parts: dict[str, str | None] = {}
    damaged = []
    for entry in entries:
        if isinstance(entry, Damaged):
            damaged.append(entry)
        elif not entry.caption.strip():
            damaged.append(Damaged(entry.where, "no caption"))
        else:
            captions.setdefault(entry.name, []).append(" ".join(entry.caption.split()))
            parts.setdefault(entry.name, entry.part)
    if not captions:
        first = f"; {damaged[0].where}: {damaged[0].reason}" if damaged else ""
        raise ReaderError(f"captions in {path}", f"none{first}", f"it was read as {layout}")
    pictures = (CaptionedPicture(name, tuple(said), parts[name]) for name, said in captions.items())
    return Captions(tuple(pictures), tuple(damaged), layout)


def _entries(path: Path, text: str) -> tuple[str, _Entries]:
    if text.lstrip()[:1] in ("{", "["):
        return _json_entries(path, text)
    header = [column.strip().lower() for column in text.partition("\n")[0].split(",")]
    if {"image", "caption"} <= set(header):
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
    for number, annotation in enumerate(annotations):
        where = f"annotation {number}"
        known = annotation if isinstance(annotation, dict) else {}
        image, caption = known.get("image_id"), known.get("caption")
        if not isinstance(image, int | str) or not isinstance(caption, str):
            yield Damaged(where, "no image_id or no caption")
        elif image not in names:
            yield Damaged(where, f"its image {image} is not among the images")
        else:
            yield _Entry(where, names[image], caption)


def _karpathy(images: Sequence[Any], _: object) -> _Entries:
    for number, image in enumerate(images):
        where = f"image {number}"
        known = image if isinstance(image, dict) else {}
        name, sentences, split = (known.get(key) for key in ("filename", "sentences", "split"))
        if not isinstance(name, str) or not isinstance(sentences, list):
            yield Damaged(where, "no filename or no sentences")
            continue
        folder = known.get("filepath")
        name = f"{folder}/{name}" if isinstance(folder, str) and folder else name
        part = _SPLITS.get(split, split) if isinstance(split, str) else None
        for sentence in sentences:
            caption = sentence.get("raw") if isinstance(sentence, dict) else None
            yield _Entry(where, name, caption if isinstance(caption, str) else "", part)


def _csv_entries(text: str, header: Sequence[str]) -> _Entries:
    rows = csv.reader(io.StringIO(text))
    next(rows)
    image, caption = header.index("image"), header.index("caption")
    for row in rows:
        where = f"line {rows.line_num}"
        if len(row) != len(header):
            yield Damaged(where, f"{len(row)} columns and not {len(header)}")
        elif not row[image].strip():
            yield Damaged(where, "no image")
        else:
            yield _Entry(where, row[image].strip(), row[caption])


def _flickr_entries(text: str) -> _Entries:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        found = _FLICKR_LINE.fullmatch(line)
        if found is None:
            yield Damaged(f"line {number}", f"no tab between image and caption: {line[:40]!r}")
        else:
            yield _Entry(f"line {number}", found["name"], found["caption"])
