"""Where the language task's text comes from: files, or the embedded world's narration."""

from pathlib import Path

from unrolled.readers.text import TextFiles, TextParts, read_parts, read_texts, split_texts
from unrolled.world import narrate

WORLD = "world"  # names the embedded data; a file of this name is ./world
_SENTENCES = 20_000


def read_language_parts(source: str | Path, *, split: str, encoding: str) -> TextParts:
    """Read a text in its parts, as ``read_parts`` does, or the narration of the world.

    Example:
        >>> parts = read_language_parts("world", split="90/10", encoding="utf-8")
        >>> parts.train.split(chr(10))[0]
        'a blue circle enters from the left.'
    """
    if str(source) == WORLD:
        return split_texts([narrate(_SENTENCES).text], split=split)
    return read_parts(source, split=split, encoding=encoding)


def read_language_texts(source: str | Path, *, encoding: str) -> TextFiles:
    """Read texts, as ``read_texts`` does, or the narration of the world."""
    if str(source) == WORLD:
        return TextFiles({Path(WORLD): narrate(_SENTENCES).text})
    return read_texts(source, encoding=encoding)
