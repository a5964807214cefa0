"""The scores of captions, together."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from unrolled.errors import ShapeError
from unrolled.metrics.bleu import bleu
from unrolled.metrics.cider import cider
from unrolled.metrics.jars import meteor, spice
from unrolled.metrics.ngrams import Words, count_ngrams
from unrolled.metrics.ptb_tokenizer import caption_words
from unrolled.metrics.rouge import rouge_l


def caption_scores(
    candidates: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    meteor_jar: Path | None = None,
    spice_jar: Path | None = None,
) -> dict[str, float]:
    """Score captions against references: bleu_1 to bleu_4, rouge_l, cider and cider_d.

    What coco-caption prints as CIDEr, and papers report, is ``cider_d``.

    Args:
        candidates: one caption for each picture.
        references: the captions that people gave for each picture, in any number.
        meteor_jar: ``meteor-1.5.jar``; with it the scores have meteor. It needs Java.
        spice_jar: ``spice-1.0.jar``; with it the scores have spice. It needs Java.
    Raises:
        ConfigError: a jar is asked for, and it or Java is not there.
        ReaderError: a jar does not answer.
        ShapeError: there are no candidates, or a picture has no references.
    Example:
        >>> scores = caption_scores(["A dog runs."], [["A dog is running.", "The dog runs"]])
        >>> round(scores["bleu_1"], 4), round(scores["rouge_l"], 4)
        (1.0, 0.6667)
    """
    words = _words(candidates, references)
    measured = _measured(*words)
    means = {name: float(values.mean()) for name, values in measured.each.items()}
    scores = means | {f"bleu_{n}": float(of) for n, of in enumerate(measured.bleu, start=1)}
    if meteor_jar is not None:
        scores["meteor"] = meteor(*words, meteor_jar)[0]
    if spice_jar is not None:
        scores["spice"] = spice(*words, spice_jar)[0]
    return scores


def caption_scores_each(
    candidates: Sequence[str], references: Sequence[Sequence[str]]
) -> dict[str, ndarray]:
    """Score every caption: arrays in the order of the candidates, named as in ``caption_scores``.

    BLEU of a corpus is not the mean of these; the others are.

    Example:
        >>> found = caption_scores_each(["a dog", "a cat"], [["a dog"], ["the dog"]])
        >>> found["bleu_1"].round(4).tolist()
        [1.0, 0.0]
    """
    return _measured(*_words(candidates, references)).each


class _Measured(NamedTuple):
    bleu: ndarray  # of the corpus, which is not the mean of its captions'
    each: dict[str, ndarray]


def _measured(candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> _Measured:
    ngrams = count_ngrams(candidates, references)
    of_corpus, of_each = bleu(ngrams)
    pairs = zip(candidates, references, strict=True)
    each = {f"bleu_{n}": scores for n, scores in enumerate(of_each.T, start=1)}
    each["rouge_l"] = np.array([rouge_l(*pair) for pair in pairs])
    return _Measured(of_corpus, each | cider(ngrams)._asdict())


def _words(
    candidates: Sequence[str], references: Sequence[Sequence[str]]
) -> tuple[list[list[str]], list[list[list[str]]]]:
    if not candidates or len(candidates) != len(references):
        got = f"{len(candidates)} candidates and {len(references)} lists of references"
        raise ShapeError("a candidate, and a list of its references, for every picture", got)
    for place, group in enumerate(references):
        if isinstance(group, str) or not group:
            got = repr(group) if group else "none"
            raise ShapeError(f"a list of references for picture {place}", got)
    flat = caption_words([*candidates, *(text for group in references for text in group)])
    rest = iter(flat[len(candidates) :])
    return flat[: len(candidates)], [[next(rest) for _ in group] for group in references]
