"""CIDEr and CIDEr-D: how alike a candidate and its references are in what is rare elsewhere."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from unrolled.metrics.ngrams import Ngrams

_SIGMA = 6.0  # words by which a candidate may differ in length


class Cider(NamedTuple):
    """Both scores of each candidate."""

    cider: Float[ndarray, "P"]
    cider_d: Float[ndarray, "P"]


def cider(ngrams: Ngrams) -> Cider:
    """Return CIDEr and CIDEr-D of each candidate.

        g(s)_w = count of w in s * log(P / pictures with w in a reference)
        CIDEr_n = 10 mean over references r of g(c) . g(r) / (|g(c)| |g(r)|)
        CIDEr-D_n = the same of min(g(c), g(r)) . g(r), times exp(-(l(c) - l(r)) ** 2 / (2 * 6**2))

    Either is the mean of n = 1 to 4. What coco-caption prints as CIDEr is CIDEr-D.

    Source: Vedantam et al. 2015, arXiv:1411.5726, eq. 1 to 5. Differs: words are not stemmed, as
        in the authors' own code, and l counts pairs of words, as there.
    Example:
        >>> from unrolled.metrics.ngrams import count_ngrams
        >>> dog, cat = ["a", "big", "old", "dog"], ["the", "cat", "is", "asleep"]
        >>> cider(count_ngrams([dog, cat], [[dog], [cat]])).cider_d.round(6).tolist()
        [10.0, 10.0]
    """
    weights = _rarity(ngrams)[ngrams.gram][ngrams.cell] * ngrams.counts
    every = np.arange(len(weights))
    norms = np.sqrt(ngrams.per_sentence(every, weights**2))
    candidates = (ngrams.of_candidates() * _rarity(ngrams)[ngrams.gram])[ngrams.cell]
    shared = ((candidates > 0) & ~ngrams.is_candidate()).nonzero()[0]
    theirs, ours = weights[shared], candidates[shared]
    pairs = norms[ngrams.num_pictures :] * norms[ngrams.picture[ngrams.num_pictures :]]
    away = _length_penalty(ngrams)
    return Cider(
        _mean(ngrams, ngrams.per_sentence(shared, ours * theirs), pairs, np.ones_like(away)),
        _mean(ngrams, ngrams.per_sentence(shared, np.minimum(ours, theirs) * theirs), pairs, away),
    )


def _rarity(ngrams: Ngrams) -> Float[ndarray, "G"]:
    """Return log(pictures / pictures in whose references it occurs) of each n-gram."""
    last_row = np.append(ngrams.first_row[1:], len(ngrams.counts)) - 1
    in_references = ~ngrams.is_candidate()[last_row] if len(ngrams.counts) else []
    found = np.bincount(ngrams.gram[in_references], minlength=len(ngrams.length))
    rarity: ndarray = np.log(max(1, ngrams.num_pictures)) - np.log(np.maximum(1, found))
    return rarity


def _length_penalty(ngrams: Ngrams) -> Float[ndarray, "references"]:
    pairs = np.maximum(0, ngrams.num_words - 1)
    candidate, reference = np.split(pairs, [ngrams.num_pictures])
    away = candidate[ngrams.picture[ngrams.num_pictures :]] - reference
    penalty: ndarray = np.exp(-(away**2) / (2 * _SIGMA**2))
    return penalty


def _mean(ngrams: Ngrams, products: ndarray, norms: ndarray, penalty: ndarray) -> ndarray:
    products = products[ngrams.num_pictures :]
    cosines = np.divide(products, norms, out=np.zeros(products.shape), where=norms > 0)
    about = ngrams.picture[ngrams.num_pictures :]
    sums = np.bincount(about, cosines.mean(axis=1) * penalty, minlength=ngrams.num_pictures)
    return 10 * sums / np.bincount(about, minlength=ngrams.num_pictures)
