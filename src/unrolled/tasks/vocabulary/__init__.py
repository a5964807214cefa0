"""Text as tokens: characters, words or byte pairs."""

from pathlib import Path
from typing import Any

from unrolled.errors import ReaderError
from unrolled.storage import write_file
from unrolled.tasks.language.options import LanguageOptions
from unrolled.tasks.vocabulary.base import Vocabulary
from unrolled.tasks.vocabulary.byte_pairs import BytePairs
from unrolled.tasks.vocabulary.characters import Characters
from unrolled.tasks.vocabulary.words import END_OF_LINE, UNKNOWN, Words

__all__ = [
    "END_OF_LINE",
    "UNKNOWN",
    "BytePairs",
    "Characters",
    "Vocabulary",
    "Words",
    "build_vocabulary",
    "load_vocabulary",
    "save_vocabulary",
]

_TOKENIZER = "tokenizer.json"
_BYTE_PAIRS = 4096  # entries, where no number is asked for


def build_vocabulary(learnt: str, held_out: str, options: LanguageOptions) -> Vocabulary:
    """Return the vocabulary of a text.

    Args:
        learnt: the part that is learnt from.
        held_out: the rest; only its characters are looked at, and only at level char.
        options: the level, and how large the vocabulary may become.
    """
    match options.level:
        case "char":
            return Characters.of(learnt + held_out)
        case "word":
            return Words.of(learnt, min_count=options.min_count, size=options.vocabulary_size)
        case "bpe":
            return BytePairs.of(learnt, size=options.vocabulary_size or _BYTE_PAIRS)


def save_vocabulary(vocabulary: Vocabulary, folder: Path) -> dict[str, Any]:
    """Keep a vocabulary: return what belongs into a model's configuration, and write the rest."""
    if isinstance(vocabulary, BytePairs):
        write_file(folder / _TOKENIZER, vocabulary.to_json().encode())
        return {"level": vocabulary.level, "vocabulary": _TOKENIZER}
    return {"level": vocabulary.level, "vocabulary": vocabulary.entries}


def load_vocabulary(config: dict[str, Any], folder: Path) -> Vocabulary:
    """Return the vocabulary that ``save_vocabulary`` kept.

    Raises:
        ReaderError: it is damaged, or is none.
    """
    level, entries = config["level"], config["vocabulary"]
    if level == "bpe":
        path = folder / _TOKENIZER
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ReaderError(f"a tokenizer in {path}", f"{error}") from None
        return BytePairs.from_json(text, what=str(path))
    what = f"a vocabulary of level {level!r} in {folder / 'config.json'}"
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise ReaderError(what, "no list of strings")
    if len(set(entries)) != len(entries):
        raise ReaderError(what, "an entry that comes twice")
    if level == "char" and all(len(entry) == 1 for entry in entries):
        return Characters(tuple(entries))
    if level == "word" and UNKNOWN in entries:
        return Words(tuple(entries))
    raise ReaderError(what, f"one of {len(entries)} entries that do not fit")
