"""Word vectors, and what may be wrong with a file of them."""

from pathlib import Path

import numpy as np
import pytest

from unrolled.errors import ReaderError
from unrolled.readers.word_vectors import read_word_vectors, vector_size

WORDS = {"the": 0, "cat": 1, "name@domain.com": 2, "at name@domain.com": 3, "dog": 4}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vectors.txt"


@pytest.mark.parametrize(
    "text",
    [
        "the 1 2 3\nsat 0 0 0\ncat -0.5 .25 1e-3\n",
        "3 3\nthe 1 2 3\nsat 0 0 0\ncat -0.5 .25 1e-3\n",  # as word2vec begins
        "the 1 2 3 \r\nsat 0 0 0 \r\ncat -0.5 .25 1e-3 ",  # as word2vec ends its lines
        "the 1 2 3\ncat -0.5 .25 1e-3\nthe 9 9 9\n",
    ],
)
def test_only_the_words_that_are_wanted_are_kept(path: Path, text: str) -> None:
    path.write_bytes(text.encode())
    assert vector_size(path) == 3
    found = read_word_vectors(path, WORDS)
    assert found.tokens.tolist() == [0, 1]
    assert found.vectors.dtype == np.float32
    np.testing.assert_array_equal(found.vectors, np.float32([[1, 2, 3], [-0.5, 0.25, 1e-3]]))


def test_a_word_may_have_blanks_in_it(path: Path) -> None:
    path.write_text("the 1 2\nat name@domain.com 3 4\n. . . 5 6\nname@domain.com 7 8\n")
    found = read_word_vectors(path, WORDS)
    assert found.tokens.tolist() == [0, 3, 2]
    assert found.vectors.tolist() == [[1, 2], [3, 4], [7, 8]]


def test_a_word_of_other_letters_is_found(path: Path) -> None:
    path.write_text("naïve 1 2\n猫 3 4\n", encoding="utf-8")
    assert read_word_vectors(path, {"猫": 7}).vectors.tolist() == [[3, 4]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "in line 1 of .*vectors.txt, got an empty file"),
        ("the\n", "a word and its numbers in line 1 of .*, got 'the'"),
        ("PK\x03\x04 zipped", "unpack it"),
        ("the 1 2\ncat 1\n", "a word and 2 numbers in line 2 of .*, got 1 numbers"),
        ("the 1 2\ncat 1 2 3\n", "a word and 2 numbers in line 2 of .*, got 3 numbers"),
        ("the 1 2\n\ncat 1 2\n", "a word and 2 numbers in line 2 of .*, got 0 numbers"),
        ("the 1 2\ncat 1 two\n", "numbers in line 2 of .*, got 'two'"),
        ("the 1 2\ncat 1 nan\n", "finite numbers in line 2 of .*, got nan"),
        ("the 1 2\ncat -inf 1\n", "finite numbers in line 2 of .*, got -inf"),
        ("the 1 2\ncat 1 1e39\n", "finite numbers in line 2 of .*, got 1e39"),
        ("3 2\nthe 1 2\ncat 1 2\n", "3 word vectors in .*, got 2"),
        ("The 1 2\nCat 1 2\n", "got none of its 5 words; are they cased"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(path: Path, text: str, words: str) -> None:
    path.write_text(text)
    with pytest.raises(ReaderError, match=words):
        read_word_vectors(path, WORDS)


def test_a_missing_file_of_glove_comes_with_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"get GloVe 6B \(822 MB.*wordvecs/glove\.6B\.zip"):
        vector_size(tmp_path / "glove.6B.100d.txt")
    with pytest.raises(ReaderError, match="nothing there; check the path"):
        vector_size(tmp_path / "mine.txt")
