"""Characters or words as tokens."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from unrolled.errors import ConfigError

Level = Literal["char", "word"]
UNKNOWN, END_OF_LINE = "<unk>", "<eos>"


@dataclass(frozen=True)
class Vocabulary:
    """What a model reads and writes: each entry's position is its token.

    At level "word" a text is split at blanks, every line ends with ``<eos>``, and words that are
    not in the vocabulary are ``<unk>``. At level "char" there is no unknown.

    Example:
        >>> vocabulary = Vocabulary.of("hello")
        >>> vocabulary.entries, vocabulary.encode("hole").tolist()
        (('e', 'h', 'l', 'o'), [1, 3, 2, 0])
    """

    level: Level
    entries: tuple[str, ...]

    @classmethod
    def of(cls, text: str, level: Level = "char", *, min_count: int = 1) -> "Vocabulary":
        """Collect the entries of a text: characters in order of their code points, words by count.

        Args:
            text: what to collect from.
            level: characters or words.
            min_count: words that are rarer become ``<unk>``.
        """
        if level == "char":
            return cls(level, tuple(sorted(set(text))))
        counts = Counter(_words(text))
        frequent = [word for word, count in counts.items() if count >= min_count]
        special = [entry for entry in (UNKNOWN, END_OF_LINE) if entry not in frequent]
        ordered = sorted(frequent, key=lambda word: (-counts[word], word))
        return cls(level, (*special, *ordered))

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def _tokens(self) -> dict[str, int]:
        return {entry: token for token, entry in enumerate(self.entries)}

    def encode(self, text: str, *, what: str = "the text") -> Tensor:
        """Return the tokens of a text, ``[T]`` int64.

        Raises:
            ConfigError: a character that the model has never seen; the message says which, where.
        """
        if self.level == "word":
            unknown = self._tokens[UNKNOWN]
            return torch.tensor([self._tokens.get(word, unknown) for word in _words(text)])
        tokens = [self._tokens.get(character, -1) for character in text]
        if -1 in tokens:
            place = tokens.index(-1)
            raise ConfigError(
                f"only characters of the training text in {what}",
                f"{text[place]!r} at position {place}",
                f"the model knows {''.join(self.entries)!r}",
            )
        return torch.tensor(tokens, dtype=torch.int64)

    def without_unknown(self, text: str) -> tuple[str, int]:
        """Return a text less the characters that are not in the vocabulary, and their number."""
        if self.level == "word":
            return text, 0
        known = "".join(character for character in text if character in self._tokens)
        return known, len(text) - len(known)

    def count_unknown(self, tokens: Tensor) -> int:
        """Return how many tokens stand for words that are not in the vocabulary."""
        if UNKNOWN not in self._tokens:
            return 0
        return int((tokens == self._tokens[UNKNOWN]).sum())

    def decode(self, tokens: Tensor) -> str:
        """Return the text of tokens ``[T]``; words are followed by a blank, or by a line end."""
        entries = [self.entries[token] for token in tokens.tolist()]
        if self.level == "char":
            return "".join(entries)
        return "".join("\n" if entry == END_OF_LINE else f"{entry} " for entry in entries)


def _words(text: str) -> list[str]:
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
        return [word for line in lines for word in (*line.split(), END_OF_LINE)]
    return [word for line in lines[:-1] for word in (*line.split(), END_OF_LINE)] + lines[
        -1
    ].split()
