"""What the language task can be told, but for the training."""

from dataclasses import dataclass
from typing import Literal

from unrolled.errors import ConfigError


@dataclass(frozen=True)
class LanguageOptions:
    """The data and how it is read.

    Args:
        split: percentages of the text for train, valid and test, in the order of the text; a folder
            whose files are named train, valid and test is split by these names instead.
        level: char or word; at word, every line ends with the token <eos>.
        min_count: words that are rarer become <unk>.
        encoding: of the files.
    """

    split: str = "90/5/5"
    level: Literal["char", "word"] = "char"
    min_count: int = 1
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        if self.min_count < 1:
            raise ConfigError("min_count of at least 1", str(self.min_count))
