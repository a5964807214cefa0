"""BLEU: how many n-grams of a candidate occur in its references."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from unrolled.metrics.ngrams import LONGEST, Ngrams

# The reference implementation's: no division by zero, and 0 where there is nothing.
_SMALL, _TINY = 1e-9, 1e-15


def bleu(ngrams: Ngrams) -> tuple[Float[ndarray, "4"], Float[ndarray, "P 4"]]:
    """Return BLEU-1 to BLEU-4 of the corpus, and of each candidate.

        p_n = n-grams of candidates, clipped by the most of one reference / n-grams of candidates
        BLEU-N = exp(min(0, 1 - r / c)) (p_1 ... p_N) ** (1 / N)

    c counts the words of the candidates, r those of the reference next in length to each.

    Source: Papineni et al. 2002, aclanthology.org/P02-1040; coco-caption's choice of the shorter
        of two references equally near, and its 1e-9 and 1e-15 against division by zero.
    Example:
        >>> from unrolled.metrics.ngrams import count_ngrams
        >>> of_corpus, _ = bleu(count_ngrams([["a", "dog"]], [[["a", "big", "dog"]]]))
        >>> round(float(of_corpus[0]), 4)
        0.6065
    """
    right, guessed = _matches(ngrams)
    candidate, reference = _lengths(ngrams)
    each = _score(right, guessed, candidate, reference)
    # In one sum of whole numbers, exact, as the reference implementation adds them up.
    of_corpus = _score(right.sum(0), guessed.sum(0), candidate.sum(), reference.sum())
    return of_corpus, each


def _matches(ngrams: Ngrams) -> tuple[ndarray, ndarray]:
    """Return how many n-grams of each candidate are in its references, and how many it has."""
    in_references = np.where(ngrams.is_candidate(), 0, ngrams.counts)
    most = np.zeros_like(ngrams.gram)
    np.maximum.at(most, ngrams.cell, in_references)
    clipped = np.minimum(most, ngrams.of_candidates())
    rows = ngrams.first_row[clipped > 0]
    right = ngrams.per_sentence(rows, clipped[clipped > 0])[: ngrams.num_pictures]
    num_words = ngrams.num_words[: ngrams.num_pictures, None]
    return right, np.maximum(0, num_words - np.arange(LONGEST))


def _lengths(ngrams: Ngrams) -> tuple[ndarray, ndarray]:
    """Return the words of each candidate, and of the reference that is next to it in length."""
    candidate, reference = np.split(ngrams.num_words, [ngrams.num_pictures])
    about = ngrams.picture[ngrams.num_pictures :]
    order = np.lexsort((reference, abs(reference - candidate[about]), about))
    first = np.searchsorted(about, np.arange(len(candidate)))  # references lie by picture
    return candidate, reference[order[first]]


def _score(right: ndarray, guessed: ndarray, candidate: ndarray, reference: ndarray) -> ndarray:
    precision = np.cumprod((right + _TINY) / (guessed + _SMALL), axis=-1)
    ratio = (candidate + _TINY) / (reference + _SMALL)
    brevity = np.exp(np.minimum(0, 1 - 1 / ratio))
    return precision ** (1 / np.arange(1, LONGEST + 1)) * brevity[..., None]
