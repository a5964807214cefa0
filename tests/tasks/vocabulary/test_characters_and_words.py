"""Characters and words as tokens, against the same written out."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.errors import ConfigError
from unrolled.tasks.vocabulary import Characters, Words, words

TEXTS = st.text(alphabet=st.sampled_from("ab é\t\n猫🐈\u2028"), max_size=60)


@settings(database=None, deadline=None)
@given(TEXTS, TEXTS)
def test_characters_are_what_a_dictionary_says(learnt: str, text: str) -> None:
    characters = Characters.of(learnt)
    token_of = {entry: token for token, entry in enumerate(characters.entries)}
    known, unknown = characters.without_unknown(text)
    assert known == "".join(c for c in text if c in token_of)
    assert unknown == len(text) - len(known)
    tokens = characters.encode(known)
    assert tokens.dtype == torch.int64
    assert tokens.tolist() == [token_of[c] for c in known]
    assert characters.decode(tokens) == known


def test_half_of_a_surrogate_pair_is_an_unknown_character() -> None:
    with pytest.raises(ConfigError, match=r"'\\udcff' at position 2"):
        Characters.of("abc").encode("ab\udcff")


@settings(database=None, deadline=None)
@given(TEXTS)
def test_words_are_what_splitting_line_by_line_gives(text: str) -> None:
    expected = []
    for line in text.split("\n"):
        expected += [*line.split(), "<eos>"]
    expected = expected[:-1]  # after the last line there is no line end
    vocabulary = Words.of(text)
    entries = [vocabulary.entries[token] for token in vocabulary.encode(text)]
    assert entries == expected
    counts = Counter(expected)
    assert [counts[entry] for entry in vocabulary.entries if counts[entry]] == sorted(
        counts.values(), reverse=True
    )


def test_how_a_text_is_cut_into_blocks_changes_nothing(monkeypatch) -> None:
    text = "a b  c\n\nd e\n" * 9 + "f g"
    whole = Words.of(text)
    tokens = whole.encode(text)
    for block in (1, 3, 20):
        monkeypatch.setattr(words, "_BLOCK", block)
        assert Words.of(text) == whole
        assert torch.equal(whole.encode(text), tokens)


def test_a_vocabulary_can_be_held_small() -> None:
    text = "a a a b b c\n" * 2
    assert Words.of(text).entries == ("<unk>", "a", "b", "<eos>", "c")
    assert Words.of(text, size=4).entries == ("<unk>", "a", "b", "<eos>")
    assert Words.of(text, size=2).entries == ("<unk>", "<eos>")
    assert Words.of("<unk> a a <unk>\n<unk>\n", size=3).entries == ("<unk>", "<eos>", "a")
