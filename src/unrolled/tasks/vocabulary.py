"""Characters as tokens."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from unrolled.errors import ConfigError


@dataclass(frozen=True)
class Vocabulary:
    """The characters that a model knows, each at the position that is its token.

    Example:
        >>> vocabulary = Vocabulary.of("hello")
        >>> vocabulary.characters, vocabulary.encode("hole").tolist()
        ('ehlo', [1, 3, 2, 0])
    """

    characters: str

    @classmethod
    def of(cls, text: str) -> "Vocabulary":
        """Collect the characters of a text, in the order of their code points."""
        return cls("".join(sorted(set(text))))

    def __len__(self) -> int:
        return len(self.characters)

    @cached_property
    def _tokens(self) -> dict[str, int]:
        return {character: token for token, character in enumerate(self.characters)}

    def encode(self, text: str, *, what: str = "the text") -> Tensor:
        """Return the tokens of a text, ``[T]`` int64.

        Raises:
            ConfigError: a character that the model has never seen; the message says which, where.
        """
        tokens = [self._tokens.get(character, -1) for character in text]
        if -1 in tokens:
            place = tokens.index(-1)
            raise ConfigError(
                f"only characters of the training text in {what}",
                f"{text[place]!r} at position {place}",
                f"the model knows {self.characters!r}",
            )
        return torch.tensor(tokens, dtype=torch.int64)

    def decode(self, tokens: Tensor) -> str:
        """Return the text of tokens ``[T]``."""
        return "".join(self.characters[token] for token in tokens.tolist())
