"""What a file of captions holds, what is damaged in it, and which of its pictures are missing."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from unrolled.errors import ReaderError
from unrolled.metrics import caption_words
from unrolled.readers.captions import Captions, read_captions
from unrolled.tasks.data_report import DataReport, Table

_SHOWN = 10  # sentences on damage
_COMMONEST = 8
_LIMITS = (1, 2, 5, 10)  # least times that a word must occur to be kept

Show = Callable[[float, str], None]


def check_captions(
    source: str,
    *,
    images: Path | None = None,
    encoding: str = "utf-8",
    show: Show = lambda *_: None,
) -> DataReport:
    """Look a file of captions through: its pictures, captions and words, and what is damaged.

    Args:
        source: a file that ``read_captions`` reads.
        images: the folder of its pictures; None: they are not looked for.
        encoding: of the file.
        show: is told how far it is.
    Raises:
        ReaderError: there is no caption, or no such folder.
    """
    show(0.0, source)
    found = read_captions(source, encoding=encoding)
    show(0.5, "cutting words")
    captions = [caption for picture in found.pictures for caption in picture.captions]
    sentences = caption_words(captions)
    words = Counter(word for sentence in sentences for word in sentence)
    lengths = sorted(map(len, sentences))
    per_picture = Counter(len(picture.captions) for picture in found.pictures)
    missing = _missing(found, images)
    damage = [f"{source}, {entry.where}: {entry.reason}" for entry in found.damaged]
    damage += [f"{images}: no picture {name}" for name in missing]
    figures = {
        "layout": found.layout,
        "pictures": len(found.pictures),
        "captions": len(captions),
        "captions_per_picture": dict(sorted(per_picture.items())),
        "parts": dict(Counter(picture.part for picture in found.pictures if picture.part)),
        "words": words.total(),
        "distinct_words": {n: sum(c >= n for c in words.values()) for n in _LIMITS},
        "words_in_a_caption": {
            "least": lengths[0],
            "median": lengths[len(lengths) // 2],
            "most": lengths[-1],
        },
        "distinct_captions": len(set(map(tuple, sentences))),
        "missing_pictures": len(missing) if images else None,
        "damage": damage,
    }
    few = damage[:_SHOWN]
    few += [f"and {len(damage) - _SHOWN:,} more"] if len(damage) > _SHOWN else []
    notes = [] if images else ["pictures were not looked for: name their folder with --images"]
    return DataReport(figures, _tables(source, figures, words), few, notes)


def _missing(found: Captions, images: Path | None) -> list[str]:
    if images is None:
        return []
    if not images.is_dir():
        raise ReaderError(f"a folder of pictures at {images}", "none", "check --images")
    return [p.name for p in found.pictures if not (images / p.name).is_file()]


def _tables(source: str, figures: dict[str, Any], words: Counter[str]) -> list[Table]:
    spread = figures["words_in_a_caption"]
    per_picture = ", ".join(f"{n:,} with {k}" for k, n in figures["captions_per_picture"].items())
    rows = [
        ("pictures", f"{figures['pictures']:,}: {per_picture}"),
        ("captions", f"{figures['captions']:,}, {figures['distinct_captions']:,} distinct"),
        ("words in a caption", "{least} to {most}, median {median}".format(**spread)),
        ("words", f"{figures['words']:,}"),
        *((f"occurring {n} times or more", f"{k:,}") for n, k in figures["distinct_words"].items()),
        ("commonest", " ".join(word for word, _ in words.most_common(_COMMONEST))),
        *((f"part {part}", f"{n:,} pictures") for part, n in figures["parts"].items()),
    ]
    if figures["missing_pictures"] is not None:
        rows.append(("missing pictures", f"{figures['missing_pictures']:,}"))
    return [Table(f"{Path(source).name}, captions as {figures['layout']} has them", ("", ""), rows)]
