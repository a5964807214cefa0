"""The tokenizer against what the Java one wrote, and its short cut against itself."""

import random
from pathlib import Path

import pytest

from unrolled.metrics.ptb_tokenizer import PUNCTUATION, caption_words, tokenize

# Written by PTBTokenizer of Stanford CoreNLP 3.4.1, -preserveLines -lowerCase, in UTF-8; after
# every line it was given one more, "A man .", because what follows decides on abbreviations.
GOLDEN = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parent / "ptb_tokens.tsv").read_text().splitlines()
]


@pytest.mark.parametrize(("caption", "tokens"), GOLDEN)
def test_the_tokens_are_those_of_the_java_program(caption: str, tokens: str) -> None:
    assert " ".join(tokenize(caption.replace("\\t", "\t"))) == tokens


def test_words_by_the_short_cut_are_the_tokens_but_punctuation() -> None:
    generator = random.Random(0)
    pieces = [piece for caption, _ in GOLDEN for piece in caption.split(" ")]
    captions = [
        " ".join(generator.choices(pieces, k=generator.randint(1, 9))) for _ in range(300)
    ] + [caption for caption, _ in GOLDEN]
    for caption, words in zip(captions, caption_words(captions), strict=True):
        assert words == [token for token in tokenize(caption) if token not in PUNCTUATION]


def test_a_caption_does_not_depend_on_its_neighbours() -> None:
    captions = ["plan b.", "no. 5", "etc.", "5 of them", "about the U.S.", "The end"]
    assert caption_words(captions) == [caption_words([caption])[0] for caption in captions]


@pytest.mark.parametrize("caption", ["", " ", "\n", "...", "\x00", "\u0378", "\ue000", " . ! ?"])
def test_a_caption_may_hold_no_word(caption: str) -> None:
    assert caption_words([caption]) == [[]]


def test_a_line_break_is_a_blank() -> None:
    assert tokenize("a dog\nruns") == ["a", "dog", "runs"]
