"""What captioned data holds, what is damaged in it, and what a model will see of it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unrolled.errors import ReaderError
from unrolled.metrics import caption_words
from unrolled.readers.caption_sets import read_caption_set
from unrolled.reports.caption_sheet import Captioned, caption_sheet
from unrolled.tasks.captioning.check_options import CaptionCheckOptions
from unrolled.tasks.captioning.data import WORLD, CaptioningData, read_captioning_data
from unrolled.tasks.captioning.files import Reading
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.captioning.survey import CaptionSurvey, survey_films, survey_pictures
from unrolled.tasks.data_report import DataReport, Table
from unrolled.tasks.learning import Show
from unrolled.world import SceneObject

_SHOWN = 10  # sentences on damage
_COMMONEST = 8
_LIMITS = (1, 2, 5, 10)  # least times that a word must occur to be kept
_ON_A_SHEET = 12


def check_captions(
    source: str,
    options: CaptionCheckOptions = CaptionCheckOptions(),  # noqa: B008 (frozen)
    *,
    encoding: str = "utf-8",
    show: Show = lambda *_: None,
) -> DataReport:
    """Look captioned data through: its pictures, captions and words, and what is damaged.

    Args:
        source: as ``read_caption_set`` takes it, or "world".
        options: how the pictures are found, and what a model will be shown.
        encoding: of the file of captions.
        show: is told how far it is.
    Raises:
        ReaderError: there is no caption, or no such folder.
    """
    show(0.0, source)
    if source == WORLD:
        return _check_world(options, show)
    found = read_caption_set(source, images=options.images, encoding=encoding)
    nowhere = options.images is None and not any(file.path.exists() for file in found.files)
    survey = CaptionSurvey()
    if not nowhere:
        survey = (survey_films if options.films else survey_pictures)(found.files, show)
    show(1.0, "cutting words")
    faults = [*found.silent, *found.damaged, *survey.rejected, *survey.damaged]
    damage = [f"{name}: {reason}" for name, reason in faults]
    looked = len(found.files) if nowhere else len(survey.used)
    figures = {
        "layout": found.layout,
        "pictures": len(found.files),
        "used": looked,
        "rejected": [list(fault) for fault in (*found.silent, *survey.rejected)],
        "total": len(found.files) + len(found.silent),
        **_said([file.captions for file in found.files]),
        "parts": dict(Counter(file.part for file in found.files if file.part)),
        "objects": _objects([file.objects for file in found.files]),
        "missing_pictures": None if nowhere else len(survey.missing),
        "files": None if nowhere else survey.figures(),
        "damage": damage,
    }
    few = damage[:_SHOWN]
    few += [f"and {len(damage) - _SHOWN:,} more"] if len(damage) > _SHOWN else []
    notes = ["no picture was found to look at: name their folder with --images"] * nowhere
    notes += [f"the same file: {', '.join(names)}" for names in survey.duplicates[:_SHOWN]]
    if options.sheet is not None and survey.used:
        notes.append(_write_sheet(options.sheet, _seen(survey, options)))
    title = f"{Path(source).name}, captions as {found.layout} has them"
    return DataReport(figures, _tables(title, figures), few, notes)


def _check_world(options: CaptionCheckOptions, show: Show) -> DataReport:
    reading = CaptioningOptions(height=options.height, width=options.width, scenes=options.scenes)
    data = read_captioning_data(WORLD, reading, films=options.films, show=show)
    figures = {
        "layout": "embedded world",
        "pictures": len(data.items),
        "used": len(data.items),
        "rejected": [],
        "total": data.total,
        **_said([item.captions for item in data.items]),
        "parts": {part: len(numbers) for part, numbers in data.parts.items()},
        "objects": _objects([item.objects for item in data.items]),
        "missing_pictures": 0,
        "files": None,
        "damage": [],
    }
    notes = []
    if options.sheet is not None:
        notes.append(_write_sheet(options.sheet, _seen_world(data)))
    title = "the embedded world, films" if options.films else "the embedded world, scenes"
    return DataReport(figures, _tables(title, figures), [], notes)


def _said(captions: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return the figures of captions: so many of each picture, and their words."""
    sentences = caption_words([caption for said in captions for caption in said])
    words = Counter(word for sentence in sentences for word in sentence)
    lengths = sorted(map(len, sentences))
    return {
        "captions": len(sentences),
        "captions_per_picture": dict(sorted(Counter(map(len, captions)).items())),
        "words": words.total(),
        "distinct_words": {n: sum(c >= n for c in words.values()) for n in _LIMITS},
        "commonest_words": [word for word, _ in words.most_common(_COMMONEST)],
        "words_in_a_caption": {
            "least": lengths[0],
            "median": lengths[len(lengths) // 2],
            "most": lengths[-1],
        },
        "distinct_captions": len(set(map(tuple, sentences))),
    }


def _objects(listed: Sequence[Sequence[SceneObject] | None]) -> dict[str, int] | None:
    """Return how often each noun has a box; None where no objects are known."""
    if not any(listed):
        return None
    nouns = Counter(thing.noun for objects in listed for thing in objects or ())
    return dict(nouns.most_common())


def _seen(survey: CaptionSurvey, options: CaptionCheckOptions) -> list[Captioned]:
    """Return the first pictures as a model sees them."""
    reading = Reading(
        CaptioningOptions(height=options.height, width=options.width, resize=options.resize),
        options.films,
    )
    shown = []
    for file in survey.used[:_ON_A_SHEET]:
        seen = reading.read(file)
        shown.append(Captioned(file.name, seen.pixels, file.captions, seen.objects or ()))
    return shown


def _seen_world(data: CaptioningData) -> list[Captioned]:
    first = range(min(_ON_A_SHEET, len(data.items)))
    return [
        Captioned(item.name, data.pixels(n), item.captions, item.objects or ())
        for n, item in ((n, data.items[n]) for n in first)
    ]


def _write_sheet(path: Path, shown: Sequence[Captioned]) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        caption_sheet(shown).save(path, "PNG")
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReaderError(f"room for a picture at {path}", reason, "check --sheet") from None
    return f"{path}: the first {len(shown)} as a model will see them"


def _tables(title: str, figures: dict[str, Any]) -> list[Table]:
    per_picture = ", ".join(f"{n:,} with {k}" for k, n in figures["captions_per_picture"].items())
    spread = "{least} to {most}, median {median}"
    rows = [
        ("pictures", f"{figures['pictures']:,}: {per_picture}"),
        ("captions", f"{figures['captions']:,}, {figures['distinct_captions']:,} distinct"),
        ("words in a caption", spread.format(**figures["words_in_a_caption"])),
        ("words", f"{figures['words']:,}"),
        *((f"occurring {n} times or more", f"{k:,}") for n, k in figures["distinct_words"].items()),
        ("commonest", " ".join(figures["commonest_words"])),
        *((f"part {part}", f"{n:,} pictures") for part, n in figures["parts"].items()),
    ]
    if figures["objects"]:
        nouns = ", ".join(f"{noun} {n:,}" for noun, n in list(figures["objects"].items())[:10])
        rows.append(("objects with boxes", nouns))
    if figures["missing_pictures"] is not None:
        rows.append(("missing pictures", f"{figures['missing_pictures']:,}"))
        rows.append(("used and rejected", f"{figures['used']:,} and {len(figures['rejected']):,}"))
    return [Table(title, ("", ""), rows), *_file_table(figures["files"])]


def _file_table(files: dict[str, Any] | None) -> list[Table]:
    if not files or not files["kinds"]:
        return []
    spread = "{least:g} to {most:g}, median {median:g}"
    rows = [("kinds", ", ".join(f"{kind} {n:,}" for kind, n in files["kinds"].items()))]
    rows += [(name, spread.format(**files[name])) for name in ("height", "width")]
    if "seconds" in files:
        rows.append(("seconds", spread.format(**files["seconds"])))
    rows.append(("stored turned", f"{files['turned']:,}"))
    rows.append(("the same file", f"{sum(len(names) for names in files['duplicates']):,}"))
    return [Table("the files, all of them decoded", ("", ""), rows)]
