"""Characters as tokens."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.tasks.vocabulary.base import Vocabulary

_CODE_POINTS = 0x110000


@dataclass(frozen=True)
class Characters(Vocabulary):
    """Every character is a token; a character that was never seen has none.

    Example:
        >>> characters = Characters.of("hello")
        >>> characters.entries, characters.encode("hole").tolist()
        (('e', 'h', 'l', 'o'), [1, 3, 2, 0])
    """

    entries: tuple[str, ...]
    level = "char"

    @classmethod
    def of(cls, text: str) -> "Characters":
        """Collect the characters of a text, in order of their code points."""
        return cls(tuple(sorted(set(text))))

    def encode(self, text: str, *, what: str = "the text") -> Tensor:
        """Return the tokens of a text, ``[T]`` int64.

        Raises:
            ConfigError: a character that the model has never seen; the message says which, where.
        """
        tokens = self._tokens[_code_points(text)]
        if tokens.size and tokens.min() < 0:
            place = int(tokens.argmin())
            raise ConfigError(
                f"only characters of the training text in {what}",
                f"{text[place]!r} at position {place}",
                f"the model knows {''.join(self.entries)!r}",
            )
        return torch.from_numpy(tokens.astype(np.int64))

    def pieces(self, tokens: Iterable[int]) -> Iterator[str]:
        """Yield the character of each token."""
        return (self.entries[token] for token in tokens)

    def without_unknown(self, text: str) -> tuple[str, int]:
        """Return a text less the characters that are not in the vocabulary, and their number."""
        points = _code_points(text)
        known = points[self._tokens[points] >= 0]
        if len(known) == len(points):
            return text, 0
        return known.tobytes().decode("utf-32-le", "surrogatepass"), len(points) - len(known)

    @cached_property
    def _tokens(self) -> NDArray[np.int32]:
        """The token of every code point, or -1."""
        tokens = np.full(_CODE_POINTS, -1, dtype=np.int32)
        tokens[[ord(entry) for entry in self.entries]] = np.arange(len(self.entries))
        return tokens


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
