"""Words as tokens."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from unrolled.tasks.vocabulary.base import Vocabulary

UNKNOWN, END_OF_LINE = _SPECIAL = ("<unk>", "<eos>")
_BLOCK = 1 << 20  # characters that are split at a time: the words of a large text need much memory


@dataclass(frozen=True)
class Words(Vocabulary):
    """A text is split at blanks, every line ends with ``<eos>``, other words are ``<unk>``.

    Example:
        >>> words = Words.of("to be or not to be")
        >>> words.entries
        ('<unk>', '<eos>', 'be', 'to', 'not', 'or')
        >>> words.encode("to see").tolist()
        [3, 0]
    """

    entries: tuple[str, ...]
    level = "word"

    @classmethod
    def of(cls, text: str, *, min_count: int = 1, size: int | None = None) -> "Words":
        """Collect the words of a text, the most frequent first.

        Args:
            text: what to collect from.
            min_count: words that are rarer become ``<unk>``.
            size: so many entries at most, ``<unk>`` and ``<eos>`` among them.
        """
        counts: Counter[str] = Counter()
        for words in _words(text):
            counts.update(words)
        frequent = [word for word, count in counts.items() if count >= min_count]
        ordered = sorted(frequent, key=lambda word: (-counts[word], word))
        if size is not None:
            plain = [word for word in ordered if word not in _SPECIAL]
            rare = set(plain[max(0, size - len(_SPECIAL)) :])
            ordered = [word for word in ordered if word not in rare]
        return cls((*(entry for entry in _SPECIAL if entry not in ordered), *ordered))

    def encode(self, text: str, *, what: str = "the text") -> Tensor:  # noqa: ARG002 (never fails)
        """Return the tokens of a text, ``[T]`` int64."""
        unknown, tokens = self.tokens[UNKNOWN], array("q")
        for words in _words(text):
            tokens.extend([self.tokens.get(word, unknown) for word in words])
        return torch.from_numpy(np.array(tokens, dtype=np.int64))

    def pieces(self, tokens: Iterable[int]) -> Iterator[str]:
        """Yield each word with a blank behind it, and line ends as such."""
        entries = (self.entries[token] for token in tokens)
        return ("\n" if entry == END_OF_LINE else f"{entry} " for entry in entries)

    def count_unknown(self, tokens: Tensor) -> int:
        """Return how many tokens stand for words that are not in the vocabulary."""
        return int((tokens == self.tokens[UNKNOWN]).sum())

    def given(self, tokens: Tensor) -> int:  # noqa: ARG002
        """Return 0: by custom the characters of the first word count."""
        return 0

    @cached_property
    def tokens(self) -> dict[str, int]:
        """The token of every word."""
        return {entry: token for token, entry in enumerate(self.entries)}


def _words(text: str) -> Iterator[list[str]]:
    """Yield the words and line ends of a text, some whole lines at a time."""
    start = 0
    while start < len(text):
        stop = text.find("\n", start + _BLOCK)
        stop = len(text) if stop < 0 else stop + 1
        *ended, last = text[start:stop].split("\n")
        yield [word for line in ended for word in (*line.split(), END_OF_LINE)] + last.split()
        start = stop
