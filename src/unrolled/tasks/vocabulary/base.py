"""What every kind of vocabulary does."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar

from torch import Tensor

from unrolled.tasks.language.options import Level

_UNITS: dict[Level, str] = {"char": "character", "word": "word", "bpe": "token"}


class Vocabulary(ABC):
    """What a model reads and writes: the place of each entry is its token."""

    level: ClassVar[Level]
    entries: tuple[str, ...]  # as a reader would see them

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def unit(self) -> str:
        """What one of its tokens is called: a character, a word or a token."""
        return _UNITS[self.level]

    @abstractmethod
    def encode(self, text: str, *, what: str = "the text") -> Tensor:
        """Return the tokens of a text, ``[T]`` int64; errors speak of ``what``."""

    @abstractmethod
    def pieces(self, tokens: Iterable[int]) -> Iterator[str]:
        """Yield the text that each token adds, as the tokens come; "" where it is not complete."""

    def decode(self, tokens: Tensor) -> str:
        """Return the text of tokens ``[T]``."""
        return "".join(self.pieces(tokens.tolist()))

    def without_unknown(self, text: str) -> tuple[str, int]:
        """Return a text less the characters that cannot be read, and their number."""
        return text, 0

    def count_unknown(self, tokens: Tensor) -> int:  # noqa: ARG002 (there are none here)
        """Return how many tokens stand for what is not in the vocabulary."""
        return 0

    def given(self, tokens: Tensor) -> int:
        """Return how many characters the first token gives away, which nobody has to predict."""
        return len(next(self.pieces(tokens[:1].tolist())))
