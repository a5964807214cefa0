"""Byte pairs as tokens: frequent runs of bytes, so that any text can be read."""

import codecs
import json
import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from unrolled.errors import ConfigError, ReaderError
from unrolled.tasks.vocabulary.base import Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BLOCK = 1 << 20  # characters that are read at a time
# Between a visible character and a blank no token runs on: cut there, a text has the same tokens.
_CUT = re.compile(r"(?<=[!-~])(?=[ \n])")

_VISIBLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_HIDDEN = [byte for byte in range(256) if byte not in _VISIBLE]
# How a byte is written in tokenizer.json: as itself, or by a letter of its own from U+0100 on.
_BYTES = {chr(byte): byte for byte in _VISIBLE} | {
    chr(0x100 + place): byte for place, byte in enumerate(_HIDDEN)
}


@dataclass(frozen=True)
class BytePairs(Vocabulary):
    """The 256 bytes, and the pairs of entries that were joined because they are frequent.

    Kept as the JSON of the `tokenizers` library, which does the reading.

    Args:
        written: the entries, as tokenizer.json writes bytes.
        merges: pairs of entries in the order in which they were joined.
    Source: Sennrich, Haddow & Birch 2016, arXiv:1508.07909, §3.2; on bytes, and never across the
        parts that its pattern splits a text into: Radford et al. 2019, §2.2. Differs: nothing.
    Example:
        >>> pairs = BytePairs.of("the cat, the hat, the mat. " * 9, size=260)
        >>> pairs.entries[256:]
        ('at', 'he', 'the', ' the')
        >>> pairs.decode(pairs.encode("thé 🐈"))
        'thé 🐈'
    """

    written: tuple[str, ...]
    merges: tuple[tuple[str, str], ...]
    entries: tuple[str, ...] = field(init=False, compare=False, repr=False)
    level = "bpe"

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", tuple(map(_shown, self._bytes)))

    @classmethod
    def of(cls, text: str, *, size: int) -> "BytePairs":
        """Join the most frequent pairs of a text until there are ``size`` entries.

        Pairs that occur only once are not joined; a short text gives fewer entries.
        """
        from tokenizers.models import BPE
        from tokenizers.trainers import BpeTrainer

        tokenizer = _byte_level(BPE())
        trainer = BpeTrainer(
            vocab_size=size, min_frequency=2, show_progress=False, initial_alphabet=sorted(_BYTES)
        )
        tokenizer.train_from_iterator(_blocks(text, 1 << 16), trainer)
        return cls.from_json(tokenizer.to_str(), what="what was just learnt")

    @classmethod
    def from_json(cls, text: str, *, what: str) -> "BytePairs":
        """Read the JSON of a byte-level tokenizer; it is taken apart and checked, never run.

        Args:
            text: the JSON.
            what: what errors call it.
        Raises:
            ReaderError: not such a tokenizer, or one that does more than this class.
        """
        try:
            config = json.loads(text)
            _require_plain(config)
            vocabulary = config["model"]["vocab"]
            if sorted(vocabulary.values()) != list(range(len(vocabulary))):
                raise ValueError("tokens that are not 0, 1, 2, ...")
            if missing := _BYTES.keys() - vocabulary.keys():
                raise ValueError(f"no entry for {len(missing)} of the 256 bytes")
            if not all(entry and _BYTES.keys() >= set(entry) for entry in vocabulary):
                raise ValueError("an entry that is not made of bytes")
            pairs = [p.split(" ") if isinstance(p, str) else p for p in config["model"]["merges"]]
            for left, right in pairs:
                if not {left, right, left + right} <= vocabulary.keys():
                    raise ValueError(f"a pair that is not in the vocabulary: {left!r} {right!r}")
            return cls(tuple(sorted(vocabulary, key=vocabulary.get)), tuple(map(tuple, pairs)))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ReaderError(f"a byte-level tokenizer in {what}", reason) from None

    def to_json(self) -> str:
        """Return the JSON that ``from_json``, and the library's own loader, read."""
        text: str = self._tokenizer.to_str(pretty=True)
        return text

    def encode(self, text: str, *, what: str = "the text") -> Tensor:
        """Return the tokens of a text, ``[T]`` int64.

        Raises:
            ConfigError: half of a surrogate pair, which is no character.
        """
        if half := re.search("[\ud800-\udfff]", text):
            raise ConfigError(
                f"characters in {what}", f"{half.group()!r} at position {half.start()}"
            )
        tokens, known = array("q"), dict[str, list[int]]()
        for block in _blocks(text):
            words = _CUT.split(block)  # few of them are different
            new = list(set(words) - known.keys())
            read = self._tokenizer.encode_batch_fast(new, add_special_tokens=False)
            known |= {word: encoding.ids for word, encoding in zip(new, read, strict=True)}
            for word in words:
                tokens.extend(known[word])
        return torch.from_numpy(np.array(tokens, dtype=np.int64))

    def pieces(self, tokens: Iterable[int]) -> Iterator[str]:
        """Yield the characters that each token completes; bytes that are no text become U+FFFD."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return (decoder.decode(self._bytes[token]) for token in tokens)

    def decode(self, tokens: Tensor) -> str:
        """Return the text of tokens ``[T]``; bytes that are no text become U+FFFD."""
        data = b"".join(self._bytes[token] for token in tokens.tolist())
        return data.decode("utf-8", "replace")

    @cached_property
    def _bytes(self) -> tuple[bytes, ...]:
        return tuple(bytes(_BYTES[letter] for letter in entry) for entry in self.written)

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        from tokenizers.models import BPE

        vocabulary = {entry: token for token, entry in enumerate(self.written)}
        return _byte_level(BPE(vocab=vocabulary, merges=list(self.merges)))


def _byte_level(model: Any) -> "Tokenizer":
    """Return a tokenizer that gives every byte of a text to the model, and nothing else."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers

    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _require_plain(config: dict[str, Any]) -> None:
    """Raise ``ValueError`` for a tokenizer that does more than join bytes."""
    for key in ("normalizer", "post_processor", "truncation", "padding", "added_tokens"):
        if config[key]:
            raise ValueError(f"a {key}")
    splitting, model = config["pre_tokenizer"], config["model"]
    if splitting["type"] != "ByteLevel" or splitting["add_prefix_space"]:
        raise ValueError("another way to split a text")
    if not splitting.get("use_regex", True):
        raise ValueError("another way to split a text")
    if model["type"] != "BPE" or any(
        model.get(key)
        for key in ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "ignore_merges")
    ):
        raise ValueError("another model")


def _blocks(text: str, size: int = _BLOCK) -> Iterator[str]:
    """Yield a text in blocks whose tokens together are those of the text."""
    start = 0
    while start < len(text):
        cut = _CUT.search(text, start + size)
        stop = len(text) if cut is None else cut.start()
        yield text[start:stop]
        start = stop


def _shown(data: bytes) -> str:
    """Return bytes as text; of those that are no text, <0xE6> and the like."""
    return data.decode("utf-8", _HANDLER)


def _name_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    bad = error.object[error.start : error.end]
    return "".join(f"<0x{byte:02X}>" for byte in bad), error.end


_HANDLER = "unrolled.name_bytes"
codecs.register_error(_HANDLER, _name_bytes)
