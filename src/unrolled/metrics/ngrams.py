"""Counts of n-grams in candidates and references, of a whole corpus at once."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64
from numpy import ndarray

LONGEST = 4  # words in an n-gram

Words = Sequence[str]


class Ngrams(NamedTuple):
    """How often n-grams of 1 to 4 words occur in the sentences about each picture.

    A row is an n-gram in a sentence; a cell is a picture and an n-gram that occurs about it. Rows
    lie cell after cell, and in a cell the candidate's row comes first, if it has one.

    Shapes: R rows, C cells, G n-grams, P pictures, M sentences: all candidates, then all
        references.
    """

    counts: Int64[ndarray, "R"]
    sentence: Int64[ndarray, "R"]
    cell: Int64[ndarray, "R"]
    first_row: Int64[ndarray, "C"]
    gram: Int64[ndarray, "C"]
    length: Int64[ndarray, "G"]  # of the n-gram, less 1
    picture: Int64[ndarray, "M"]
    num_words: Int64[ndarray, "M"]
    num_pictures: int

    def of_candidates(self) -> Int64[ndarray, "C"]:
        """Return how often each cell's n-gram occurs in the candidate."""
        return np.where(self.is_candidate()[self.first_row], self.counts[self.first_row], 0)

    def is_candidate(self) -> ndarray:
        """Say which rows belong to candidates."""
        return self.sentence < self.num_pictures

    def per_sentence(self, rows: ndarray, weights: ndarray) -> Float[ndarray, "M N"]:
        """Add up the weights of rows, by sentence and by the length of the n-gram."""
        place = self.sentence[rows] * LONGEST + self.length[self.gram[self.cell[rows]]]
        size = len(self.picture) * LONGEST
        return np.bincount(place, weights, minlength=size).reshape(-1, LONGEST)


def count_ngrams(candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> Ngrams:
    """Count the n-grams of one candidate and any number of references for each picture.

    Example:
        >>> ngrams = count_ngrams([["a", "dog"]], [[["a", "big", "dog"], ["a", "dog"]]])
        >>> int(ngrams.counts.sum()), len(ngrams.length), ngrams.num_words.tolist()
        (12, 7, [2, 3, 2])
    """
    sentences = [*candidates, *chain.from_iterable(references)]
    num_words = np.fromiter(map(len, sentences), np.int64, len(sentences))
    group_sizes = np.fromiter(map(len, references), np.int64, len(references))
    of_references = np.repeat(np.arange(len(candidates)), group_sizes)
    picture = np.concatenate([np.arange(len(candidates)), of_references])
    # Of a picture's sentences the candidate is number 0, its references 1, 2, ...
    number = np.zeros(len(sentences), dtype=np.int64)
    number[len(candidates) :] = np.arange(len(of_references)) + 1
    number[len(candidates) :] -= np.repeat(np.cumsum(group_sizes) - group_sizes, group_sizes)
    stride = int(number.max(initial=0)) + 1

    found = list(_occurrences(sentences, num_words))
    length = np.repeat(np.arange(len(found)), [size for *_, size in found])
    gram = np.concatenate([grams for _, grams, _ in found])
    sentence = np.concatenate([where for where, _, _ in found])
    keys = (picture[sentence] * len(length) + gram) * stride + number[sentence]
    keys, counts = np.unique(keys, return_counts=True)
    cells = keys // stride
    is_first = np.append(True, cells[1:] != cells[:-1])[: len(cells)]
    first_row = is_first.nonzero()[0]
    about = cells[first_row] // max(1, len(length))
    offset = np.cumsum(group_sizes) - group_sizes + len(candidates) - 1
    cell = np.cumsum(is_first) - 1
    which, owner = keys % stride, about[cell]
    return Ngrams(
        counts,
        np.where(which == 0, owner, offset[owner] + which),
        cell,
        first_row,
        cells[first_row] % max(1, len(length)),
        length,
        picture,
        num_words,
        len(candidates),
    )


def _occurrences(
    sentences: Sequence[Words], num_words: Int64[ndarray, "M"]
) -> Iterator[tuple[ndarray, ndarray, int]]:
    """Yield for n = 1 to 4 the sentence and the number of each n-gram, and how many there are."""
    words = list(chain.from_iterable(sentences))
    numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
    word = np.fromiter(map(numbers.__getitem__, words), np.int64, len(words))
    sentence = np.repeat(np.arange(len(sentences)), num_words)
    left = np.cumsum(num_words)[sentence] - np.arange(len(words))  # words from here to the end
    start, gram, size, before = np.arange(len(words)), word, len(numbers), 0
    for n in range(1, LONGEST + 1):
        if n > 1:
            goes_on = left[start] >= n
            start, gram = start[goes_on], gram[goes_on]
            keys = gram * max(1, len(numbers)) + word[start + n - 1]
            distinct, gram = np.unique(keys, return_inverse=True)
            size = len(distinct)
        yield sentence[start], gram + before, size
        before += size
