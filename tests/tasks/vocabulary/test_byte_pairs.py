"""Byte pairs: nothing is lost, nothing is run, and the tokens are those of the definition."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from unrolled.errors import ConfigError, ReaderError
from unrolled.tasks.vocabulary import BytePairs, byte_pairs, load_vocabulary, save_vocabulary

BOOK = "the cat sat on the mat, the naïve cat's hat.\n  «Où?» 猫は座った。\n\n" * 20
PAIRS = BytePairs.of(BOOK, size=300)


@settings(database=None, deadline=None)
@given(st.text())
@example("a\r\n b\0 é🎉 \u2028\x1c \n\n\t猫\ufeff e\u0301")
@example(BOOK)
@example(" " * 99 + "\n" * 99)
@example("<unk><eos></s>")
def test_any_text_comes_back(text: str) -> None:
    tokens = PAIRS.encode(text)
    assert tokens.dtype == torch.int64
    assert PAIRS.decode(tokens) == text
    assert "".join(PAIRS.pieces(tokens.tolist())) == text


def test_half_of_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(ConfigError, match=r"in the prompt, got '\\ud83d' at position 1"):
        PAIRS.encode("a\ud83d", what="the prompt")


def by_the_definition(word: str) -> list[str]:
    """Join, again and again, the neighbours that were joined first."""
    letter_of = {byte: letter for letter, byte in byte_pairs._BYTES.items()}
    parts = [letter_of[byte] for byte in word.encode()]
    rank = {pair: place for place, pair in enumerate(PAIRS.merges)}
    while ranks := [rank[pair] for pair in pairwise(parts) if pair in rank]:
        left, right = PAIRS.merges[min(ranks)]
        place = next(i for i, p in enumerate(pairwise(parts)) if p == (left, right))
        parts[place : place + 2] = [left + right]
    return parts


@pytest.mark.parametrize("word", ["the", " cat", "mathematics", " naïve", " sathat", "猫は座った"])
def test_tokens_are_those_of_the_definition(word: str) -> None:
    found = [PAIRS.written[token] for token in PAIRS.encode(word)]
    assert found == by_the_definition(word)


def test_how_a_text_is_cut_into_blocks_changes_nothing(monkeypatch) -> None:
    text = "a  b\n\n\nthe 'tis  «Où ?» \t\n x1 2 3!?  \n" + BOOK
    whole = PAIRS._tokenizer.encode(text).ids
    for block in (1, 5, 64):
        monkeypatch.setattr(byte_pairs, "_BLOCK", block)
        assert PAIRS.encode(text).tolist() == whole


def test_learning_is_the_same_every_time_and_holds_to_the_size() -> None:
    assert BytePairs.of(BOOK, size=300) == PAIRS
    assert len(BytePairs.of(BOOK, size=280)) == 280
    assert len(BytePairs.of(BOOK, size=256)) == 256
    assert len(BytePairs.of("", size=300)) == 256
    assert len(BytePairs.of("no pair twice", size=300)) == 256


def test_the_pieces_of_a_character_are_nothing_until_it_is_whole() -> None:
    tokens = BytePairs.of("", size=256).encode("a→b")
    pairs = BytePairs.of("", size=256)
    assert list(pairs.pieces(tokens.tolist())) == ["a", "", "", "→", "b"]
    assert pairs.decode(tokens[:2]) == "a\ufffd"
    assert [pairs.entries[token] for token in tokens] == ["a", "<0xE2>", "<0x86>", "<0x92>", "b"]


def test_what_the_first_token_gives_away_is_counted() -> None:
    assert PAIRS.given(PAIRS.encode(" the cat")) == len(" the")
    assert PAIRS.given(PAIRS.encode("🐈")) == 0  # a quarter of a character


def test_it_is_kept_in_a_file_that_the_library_reads_too(tmp_path: Path) -> None:
    config = save_vocabulary(PAIRS, tmp_path)
    assert config == {"level": "bpe", "vocabulary": "tokenizer.json"}
    assert load_vocabulary(config, tmp_path) == PAIRS
    theirs = pytest.importorskip("tokenizers").Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert theirs.encode(BOOK).ids == PAIRS.encode(BOOK).tolist()


def good() -> dict:
    return json.loads(PAIRS.to_json())


def changed(**parts) -> str:
    return json.dumps({**good(), **parts})


def model(**parts) -> str:
    return changed(model={**good()["model"], **parts})


EVIL = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
VOCABULARY, MERGES = good()["model"]["vocab"], good()["model"]["merges"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expecting value"),
        ("[]", "list indices"),
        ("{}", "'normalizer'"),
        ("[" * 100_000, "recursion|RecursionError"),
        (changed(pre_tokenizer=EVIL), "another way to split"),
        (changed(pre_tokenizer={"type": "Sequence", "pretokenizers": [EVIL]}), "another way"),
        (changed(pre_tokenizer={"type": "ByteLevel", "add_prefix_space": True}), "another way"),
        (changed(normalizer={"type": "Lowercase"}), "a normalizer"),
        (changed(post_processor={"type": "TemplateProcessing"}), "a post_processor"),
        (changed(added_tokens=[{"id": 300, "content": "<s>"}]), "a added_tokens"),
        (changed(model={"type": "WordLevel", "vocab": {"a": 0}}), "another model"),
        (model(dropout=0.5), "another model"),
        (model(vocab=[]), "has no attribute 'values'"),
        (model(vocab={**VOCABULARY, "the the": len(VOCABULARY)}), "not made of bytes"),
        (model(vocab={**VOCABULARY, "": len(VOCABULARY)}), "not made of bytes"),
        (model(vocab={**VOCABULARY, "th": 10**12}), "tokens that are not 0, 1, 2"),
        (model(vocab={**VOCABULARY, "th": "0"}), "not supported between"),
        (model(vocab={"a": 0}, merges=[]), "no entry for 255 of the 256 bytes"),
        (model(merges=[*MERGES, ["Q", "Q"]]), "a pair that is not in the vocabulary: 'Q' 'Q'"),
        (model(merges=[["a"]]), "not enough values"),
        (model(merges=[[["a"], "b"]]), "can only concatenate"),
        (model(merges=7), "not iterable"),
    ],
)
def test_a_tokenizer_that_does_more_or_less_is_refused(text: str, words: str) -> None:
    with pytest.raises(ReaderError, match=words) as raised:
        BytePairs.from_json(text, what="tokenizer.json")
    assert str(raised.value).startswith("expected a byte-level tokenizer in tokenizer.json, got ")
    assert "\n" not in str(raised.value)


def test_merges_may_be_written_as_before() -> None:
    old = model(merges=[" ".join(pair) for pair in MERGES])
    assert BytePairs.from_json(old, what="an old file") == PAIRS


def test_a_missing_or_foreign_tokenizer_is_named(tmp_path: Path) -> None:
    config = {"level": "bpe", "vocabulary": "../../elsewhere.json"}
    with pytest.raises(ReaderError, match=r"a tokenizer in .*tokenizer\.json"):
        load_vocabulary(config, tmp_path)
    (tmp_path / "tokenizer.json").write_bytes(b"\xff")
    with pytest.raises(ReaderError, match="can't decode byte"):
        load_vocabulary(config, tmp_path)


@pytest.mark.parametrize(
    ("level", "entries", "words"),
    [
        ("char", None, "no list of strings"),
        ("char", [1, 2], "no list of strings"),
        ("char", ["a", "a"], "comes twice"),
        ("char", ["a", "bc"], "do not fit"),
        ("word", ["a", "bc"], "do not fit"),
        ("line", ["a"], "do not fit"),
        (["char"], ["a"], "do not fit"),
    ],
)
def test_other_vocabularies_are_checked_too(
    tmp_path: Path, level: object, entries: object, words: str
) -> None:
    with pytest.raises(ReaderError, match=words):
        load_vocabulary({"level": level, "vocabulary": entries}, tmp_path)
