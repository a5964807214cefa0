"""The tokenizer against what the Java one wrote, and its short cuts against itself."""

import math
import random
import re
from pathlib import Path

import pytest

from tests.metrics.counted_matching import CountedMatch, tries
from unrolled.metrics.ptb_patterns import PATTERNS
from unrolled.metrics.ptb_tokenizer import _SCANNER, PUNCTUATION, caption_words, tokenize

# Written by PTBTokenizer of Stanford CoreNLP 3.4.1, -preserveLines -lowerCase, in UTF-8; after
# every line it was given one more, "A man .", because what follows decides on abbreviations. The
# no-break spaces it writes inside a token, "2 1/2", are blanks here, as the metrics take them.
GOLDEN = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parent / "ptb_tokens.tsv").read_text().splitlines()
]
# What coco-caption leaves out, as its ptbtokenizer.py lists it.
COCO_PUNCTUATION = "'' ' `` ` -LRB- -RRB- -LCB- -RCB- . ? ! , : - -- ... ;"
HOSTILE = ["a", "a.", "a,", "5/", "a-", "a@", "a'", "<!", "<a b=", "Jan. ", ". ", "http://a", "(1"]


@pytest.mark.parametrize(("caption", "tokens"), GOLDEN)
def test_the_tokens_are_those_of_the_java_program(caption: str, tokens: str) -> None:
    assert " ".join(tokenize(caption.replace("\\t", "\t"))) == tokens


def test_every_pattern_has_a_caption_that_needs_it() -> None:
    used = {found.lastgroup for caption, _ in GOLDEN for found in _SCANNER.finditer(caption)}
    assert used == set(PATTERNS)


def test_words_are_the_tokens_but_punctuation() -> None:
    assert frozenset(COCO_PUNCTUATION.split()) == PUNCTUATION
    (words,) = caption_words(["A man, \"Al\" -- (tall) ... said: no?! It's; a 'b' - c !"])
    assert " ".join(words) == "a man al -lrb- tall -rrb- said no ?! it 's a b c"


def test_a_run_of_plain_words_is_its_words() -> None:
    generator = random.Random(0)
    pieces = [p for caption, _ in GOLDEN for p in caption.split(" ") if not set(p) & set(".<>(")]
    for _ in range(300):
        drawn = generator.choices(pieces, k=generator.randint(2, 9))
        assert tokenize(" ".join(drawn)) == [token for piece in drawn for token in tokenize(piece)]


def test_a_caption_does_not_depend_on_its_neighbours() -> None:
    captions = ["plan b.", "no. 5", "etc.", "5 of them", "about the U.S.", "The end"]
    assert caption_words(captions) == [caption_words([caption])[0] for caption in captions]


@pytest.mark.parametrize(
    "caption",
    ["", " ", "\n", "...", "\x00", "\ue000", " . ! ?", "\xad", "\u200b", "\U0001f415"],
)
def test_a_caption_may_hold_no_word(caption: str) -> None:
    assert caption_words([caption]) == [[]]


def test_a_line_break_is_a_blank() -> None:
    assert tokenize("a dog\nruns") == ["a", "dog", "runs"]


def test_every_character_alone_gives_one_token_or_none() -> None:
    for point in range(0x10000):
        assert len(tokenize(chr(point))) <= 1


FAR = 110  # letters, more than any pattern that is bounded reads ahead


def rise(pattern: re.Pattern[str], piece: str) -> float:
    """Return how much more the last third of a text takes than the third before it."""
    third = piece * math.ceil(FAR / len(piece))
    short, middle, long = (tries(pattern, third * count) for count in (1, 2, 3))
    return (long - middle) / (middle - short)


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_text_takes_no_more_than_its_length(piece: str) -> None:
    """No pattern reads to the far end again and again."""
    assert rise(_SCANNER, piece) < 1.05


def test_a_pattern_that_reads_to_the_far_end_from_everywhere_is_noticed() -> None:
    twin = re.compile(_SCANNER.pattern.replace("{0,63}@", "*@"))
    assert rise(twin, "5/") > 1.1


def test_matching_that_counts_finds_what_re_finds() -> None:
    for caption, _ in GOLDEN[::3]:
        counted = CountedMatch(_SCANNER, caption)
        for found in _SCANNER.finditer(caption):
            assert counted.end(found.start()) == found.end(), caption
