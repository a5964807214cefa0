"""The words that a captioner can say."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from unrolled.errors import ReaderError
from unrolled.metrics import caption_words
from unrolled.storage import write_file

START, END, UNKNOWN = _SPECIAL = ("<start>", "<end>", "<unk>")
_FILE = "vocabulary.json"


@dataclass(frozen=True)
class CaptionVocabulary:
    """Words as tokens: lower case, without punctuation, as captions are scored.

    A caption begins after ``<start>`` and ends with ``<end>``; words that are not known are
    ``<unk>``.

    Args:
        entries: the place of each is its token; the three special ones are the first.
    Example:
        >>> vocabulary = CaptionVocabulary.of([["a", "dog", "runs"], ["a", "cat"]])
        >>> vocabulary.entries
        ('<start>', '<end>', '<unk>', 'a', 'cat', 'dog', 'runs')
        >>> vocabulary.encode("A dog sleeps.")
        [3, 5, 2]
        >>> vocabulary.decode([3, 5, 6, 1])
        'a dog runs'
    """

    entries: tuple[str, ...]

    @classmethod
    def of(cls, captions: Iterable[Sequence[str]], *, min_count: int = 1) -> "CaptionVocabulary":
        """Collect the words of captions, the most frequent first.

        Args:
            captions: each as its words.
            min_count: words that are rarer are left out.
        """
        counts = Counter(word for caption in captions for word in caption)
        frequent = [word for word, n in counts.items() if n >= min_count and word not in _SPECIAL]
        return cls((*_SPECIAL, *sorted(frequent, key=lambda word: (-counts[word], word))))

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def start(self) -> int:
        """The token of ``<start>``."""
        return _SPECIAL.index(START)

    @property
    def end(self) -> int:
        """The token of ``<end>``."""
        return _SPECIAL.index(END)

    @property
    def unknown(self) -> int:
        """The token of ``<unk>``."""
        return _SPECIAL.index(UNKNOWN)

    def encode(self, sentence: str) -> list[int]:
        """Return the tokens of a sentence's words, without ``<start>`` and ``<end>``."""
        return self.encode_words(caption_words([sentence])[0])

    def encode_words(self, words: Iterable[str]) -> list[int]:
        """Return the tokens of words."""
        return [self._tokens.get(word, self.unknown) for word in words]

    def words_of(self, tokens: Iterable[int]) -> list[str]:
        """Return the words of tokens, up to ``<end>``."""
        words = []
        for token in tokens:
            if token == self.end:
                break
            if token != self.start:
                words.append(self.entries[token])
        return words

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the sentence of tokens, up to ``<end>``."""
        return " ".join(self.words_of(tokens))

    def save(self, folder: Path) -> None:
        """Write ``vocabulary.json`` into a model folder."""
        text = json.dumps(self.entries, ensure_ascii=False, indent=0)
        write_file(folder / _FILE, text.encode())

    @classmethod
    def load(cls, folder: Path) -> "CaptionVocabulary":
        """Read what ``save`` wrote.

        Raises:
            ReaderError: it is missing, damaged, or no vocabulary.
        """
        path = folder / _FILE
        try:
            entries = json.loads(path.read_text("utf-8"))
        except OSError as error:
            raise ReaderError(f"a vocabulary at {path}", error.strerror or "an error") from None
        except (ValueError, RecursionError) as error:
            raise ReaderError(f"a vocabulary in {path}", " ".join(str(error).split())) from None
        if not isinstance(entries, list) or not all(isinstance(word, str) for word in entries):
            raise ReaderError(f"a vocabulary in {path}", "no list of words")
        if tuple(entries[: len(_SPECIAL)]) != _SPECIAL or len(set(entries)) < len(entries):
            got = "a word that comes twice, or not these three first"
            raise ReaderError(f"{', '.join(_SPECIAL)} and then words in {path}", got)
        return cls(tuple(entries))

    @cached_property
    def _tokens(self) -> dict[str, int]:
        return {entry: token for token, entry in enumerate(self.entries)}
