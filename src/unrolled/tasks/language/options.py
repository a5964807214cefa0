"""What the language task can be told, but for the training."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from unrolled.errors import ConfigError

Level: TypeAlias = Literal["char", "word", "bpe"]
_BYTES = 256
_SPECIAL = 2  # <unk> and <eos>


@dataclass(frozen=True)
class LanguageOptions:
    """The data and how it is read.

    Args:
        split: percentages of the text for train, valid and test, in the order of the text; a folder
            whose files are named train, valid and test is split by these names instead.
        level: characters, words or byte pairs; at word, every line ends with the token <eos>.
        min_count: words that are rarer become <unk>.
        vocabulary_size: entries at most, the most frequent ones; left out, it is 4096 at level bpe,
            and as many as there are at word.
        encoding: of the files.
        embeddings: a file of word vectors in the text format of GloVe or word2vec, for level word;
            words that are not in it start as usual.
        freeze_embeddings: do not train the embedding, word vectors and others alike.
    """

    split: str = "90/5/5"
    level: Level = "char"
    min_count: int = 1
    vocabulary_size: int | None = None
    encoding: str = "utf-8"
    embeddings: str | None = None
    freeze_embeddings: bool = False

    def __post_init__(self) -> None:
        if self.min_count < 1:
            raise ConfigError("min_count of at least 1", str(self.min_count))
        if self.min_count > 1 and self.level != "word":
            raise ConfigError("--level word with --min-count", f"level {self.level}")
        try:
            b"    ".decode(self.encoding, "replace")  # of nothing, any name would do
        except LookupError:
            raise ConfigError("the name of an encoding", repr(self.encoding), "try utf-8") from None
        if self.vocabulary_size is not None:
            self._check_size(self.vocabulary_size)
        if self.embeddings is not None and self.level != "word":
            raise ConfigError("--level word with --embeddings", f"level {self.level}")
        if self.freeze_embeddings and self.embeddings is None:
            raise ConfigError("--embeddings with --freeze-embeddings", "none to freeze")

    def _check_size(self, size: int) -> None:
        if self.level == "char":
            raise ConfigError("--level word or bpe with --vocabulary-size", "level char")
        fewest = _BYTES if self.level == "bpe" else _SPECIAL
        if size < fewest:
            raise ConfigError(f"a vocabulary_size of at least {fewest}", str(size))
