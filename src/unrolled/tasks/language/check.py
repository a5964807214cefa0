"""What a text holds, what is damaged in it, and what a language model will see of it."""

from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.text import TextParts, find_files, part_named, read_parts
from unrolled.readers.text_survey import FileSurvey, Surprise, survey_file
from unrolled.readers.word_vectors import read_word_vectors
from unrolled.tasks.data_report import DataReport, Table
from unrolled.tasks.language.embeddings import tell_found
from unrolled.tasks.language.model import Streams
from unrolled.tasks.language.options import LanguageOptions
from unrolled.tasks.learning import Show
from unrolled.tasks.vocabulary import Vocabulary, Words, build_vocabulary

_LONG_LINE = 40  # characters; a shorter line may well come twice
_ENTRIES = 8  # commonest, and rarest, that are shown
_STREAMS, _STREAM_TOKENS = 3, 12  # of the first window, that are shown
_SENTENCES = 10  # on damage, that are shown
_FILES = 3  # of one kind, that are shown
_PARTS = ("train", "valid", "test")


def check_text(
    source: str,
    options: LanguageOptions = LanguageOptions(),  # noqa: B008 (frozen)
    *,
    batch_size: int = 8,
    window: int = 64,
    show: Show = lambda *_: None,
) -> DataReport:
    """Look a text through as training would read it, but name all that is damaged.

    Args:
        source: a file, a folder or a pattern.
        options: how it would be read.
        batch_size: streams side by side.
        window: tokens of a stream in an update.
        show: is told how far it is.
    Raises:
        ReaderError: there is nothing at all.
    """
    if min(batch_size, window) < 1:
        raise ConfigError("batch_size and window above 0", f"{batch_size} and {window}")
    surveys = []
    paths = find_files(source)
    for number, path in enumerate(paths):
        show(number / len(paths), str(path))
        surveys.append(survey_file(path, encoding=options.encoding))
    damage = [words for survey in surveys if (words := survey.damage(options.encoding))]
    notes = _notes(surveys)
    figures: dict[str, Any] = {
        "files": len(surveys),
        "bytes": sum(survey.num_bytes for survey in surveys),
        "damage": damage,
        "surprises": {
            str(survey.path): {kind.name.lower(): words for kind, words in found.items()}
            for survey in surveys
            if (found := survey.surprises())
        },
    }
    try:
        text = read_parts(source, split=options.split, encoding=options.encoding)
    except ReaderError as error:
        damage = damage or [str(error)]
        nothing = Table(f"{_held(figures)}, of which a model cannot read any", ("",), [])
        return DataReport({**figures, "damage": damage}, [nothing], _few(damage), notes)
    show(1.0, "reading as a model would")
    vocabulary = build_vocabulary(text.train, text.valid + text.test, options)
    tokens = {part: vocabulary.encode(getattr(text, part)) for part in _PARTS}
    counts = tokens["train"].bincount(minlength=len(vocabulary))
    figures["split"] = {"by": text.split_by, "percentages": options.split}
    figures["parts"] = {p: _part(text, p, tokens[p], vocabulary, counts) for p in _PARTS}
    figures["overlap"] = overlap(text, surveys)
    figures["vocabulary"] = _vocabulary(vocabulary, counts)
    figures["streams"] = _streams(tokens["train"], vocabulary, batch_size, window)
    notes += _surprises(figures, text)
    if options.embeddings is not None and isinstance(vocabulary, Words):
        vectors = read_word_vectors(Path(options.embeddings), vocabulary.tokens)
        figures["words_with_vectors"] = len(vectors.tokens)
        notes.append(tell_found(vectors, vocabulary, options.embeddings))
    return DataReport(figures, _tables(figures), _few(damage), notes)


def overlap(text: TextParts, surveys: list[FileSurvey]) -> dict[str, Any]:
    """Return what is in a text twice: whole files, and long lines of train that are held out."""
    first: dict[str, Path] = {}
    twins = []
    for survey in surveys:
        if survey.num_bytes and survey.sha256:
            twin = first.setdefault(survey.sha256, survey.path)
            if twin != survey.path:
                apart = text.split_by == "names" and part_named(twin) != part_named(survey.path)
                files = {"file": str(survey.path), "same_as": str(twin)}
                twins.append({**files, "between_parts": apart})
    learnt = {line for line in text.train.split("\n") if len(line) >= _LONG_LINE}
    lines = {}
    for part in ("valid", "test"):
        long = [line for line in getattr(text, part).split("\n") if len(line) >= _LONG_LINE]
        lines[part] = {"long_lines": len(long), "in_train": sum(line in learnt for line in long)}
    return {"same_files": twins, "lines_of_at_least": _LONG_LINE, **lines}


def _part(
    text: TextParts, part: str, tokens: Tensor, vocabulary: Vocabulary, counts: Tensor
) -> dict[str, Any]:
    words: str = getattr(text, part)
    return {
        "characters": len(words),
        "lines": words.count("\n") + (not words.endswith("\n") and words != ""),
        "tokens": len(tokens),
        "unknown": vocabulary.count_unknown(tokens),
        "not_in_train": int((counts[tokens] == 0).sum()),
        "sha256": text.hashes()[part],
    }


def _vocabulary(vocabulary: Vocabulary, counts: Tensor) -> dict[str, Any]:
    order = counts.argsort(descending=True, stable=True)
    ordered = [(vocabulary.entries[token], int(counts[token])) for token in order.tolist()]
    occurring = [entry for entry in ordered if entry[1]]
    return {
        "level": vocabulary.level,
        "size": len(vocabulary),
        "once": int((counts == 1).sum()),
        "never": int((counts == 0).sum()),
        "commonest": occurring[:_ENTRIES],
        "rarest": occurring[_ENTRIES:][-_ENTRIES:],
    }


def _streams(
    tokens: Tensor, vocabulary: Vocabulary, batch_size: int, window: int
) -> dict[str, Any]:
    streams = Streams(tokens, batch_size, window)
    rows = [row[:_STREAM_TOKENS] for row in torch.unbind(streams.x[:_STREAMS])]
    return {
        "streams": streams.x.shape[0],
        "window": streams.window,
        "updates_per_epoch": len(streams),
        "first": [{"tokens": row.tolist(), "text": vocabulary.decode(row)} for row in rows],
    }


def _surprises(figures: dict[str, Any], text: TextParts) -> list[str]:
    found = []
    if not text.held_out:
        found.append("the text is too short to hold a part out, or the split holds none out")
    twins = figures["overlap"]["same_files"]
    across = sum(twin["between_parts"] for twin in twins)
    if twins:
        shown = ", ".join(f"{twin['file']} of {twin['same_as']}" for twin in twins[:_FILES])
        count = "1 file is a copy" if len(twins) == 1 else f"{len(twins):,} files are copies"
        elsewhere = f", {across:,} of them in another part" if across else ""
        found.append(f"{count}{elsewhere}: {shown}" + ", ..." * (len(twins) > _FILES))
    for part in ("valid", "test"):
        lines = figures["overlap"][part]
        if lines["in_train"]:
            share = lines["in_train"] / lines["long_lines"]
            found.append(
                f"{lines['in_train']:,} of the {lines['long_lines']:,} lines of at least "
                f"{_LONG_LINE} characters in {part} ({share:.1%}) are in train too"
            )
        unseen = figures["parts"][part]["not_in_train"]
        if unseen:
            found.append(f"{unseen:,} tokens of {part} are never in train")
    return found


def _tables(figures: dict[str, Any]) -> list[Table]:
    split, words, streams = figures["split"], figures["vocabulary"], figures["streams"]
    how = (
        "the names of the files" if split["by"] == "names" else f"position, {split['percentages']}"
    )
    numbers = ("characters", "lines", "tokens", "unknown")
    rows = [
        (name, *(f"{part[number]:,}" for number in numbers), part["sha256"][:12])
        for name, part in figures["parts"].items()
    ]
    title = f"{_held(figures)}, split by {how}"
    unit = {"char": "characters", "word": "words", "bpe": "byte pairs"}[words["level"]]
    entries = [
        (*_entry(common), *_entry(rare))
        for common, rare in zip_longest(words["commonest"], words["rarest"])
    ]
    seen = [
        (f"{number}", " ".join(map(str, row["tokens"])), repr(row["text"]))
        for number, row in enumerate(streams["first"])
    ]
    sizes = f"{streams['streams']} streams, {streams['window']} tokens an update"
    heading = f"{words['size']:,} {unit}, {words['once']:,} of them once"
    return [
        Table(title, ("part", *numbers, "sha256"), rows, numbers),
        Table(heading, ("commonest", "times", "rarest", "times"), entries, ("times",)),
        Table(
            f"{sizes}, {streams['updates_per_epoch']:,} updates an epoch",
            ("stream", "begins with", "text"),
            seen,
            ("stream",),
        ),
    ]


def _entry(counted: tuple[str, int] | None) -> tuple[str, str]:
    return ("", "") if counted is None else (repr(counted[0]), f"{counted[1]:,}")


def _held(figures: dict[str, Any]) -> str:
    files = "1 file" if figures["files"] == 1 else f"{figures['files']:,} files"
    return f"{files}, {figures['bytes']:,} bytes"


def _notes(surveys: list[FileSurvey]) -> list[str]:
    """Return the surprises, a sentence for each file or, where there are many, for each kind."""
    notes = []
    for kind in Surprise:
        alone, together = kind.value
        found = {s.path: s.surprises()[kind] for s in surveys if kind in s.surprises()}
        if len(found) > _FILES:
            paths = ", ".join(map(str, list(found)[:_FILES]))
            notes.append(f"{len(found):,} files {together}, such as {paths}")
        else:
            notes += [
                f"{path} {alone}" + f": {words}" * bool(words) for path, words in found.items()
            ]
    return notes


def _few(sentences: list[str]) -> list[str]:
    """Return the first sentences; that there are more is one more sentence."""
    more = len(sentences) - _SENTENCES
    return sentences[:_SENTENCES] + [f"and {more:,} more; --json has them all"] * (more > 0)
