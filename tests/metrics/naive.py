"""The caption metrics as their papers and their code write them, sentence by sentence."""

from collections import Counter
from collections.abc import Sequence
from math import exp, log, sqrt

Words = Sequence[str]


def ngrams(words: Words, n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def bleu(candidates: Sequence[Words], references: Sequence[Sequence[Words]], n: int) -> float:
    """Papineni et al. 2002, with the small numbers of coco-caption."""
    precision = 1.0
    for k in range(1, n + 1):
        right = guessed = 0
        for words, group in zip(candidates, references, strict=True):
            for gram, count in ngrams(words, k).items():
                right += min(count, max(ngrams(reference, k)[gram] for reference in group))
            guessed += max(0, len(words) - k + 1)
        precision *= (right + 1e-15) / (guessed + 1e-9)
    c = sum(map(len, candidates))
    r = sum(
        min((abs(len(reference) - len(words)), len(reference)) for reference in group)[1]
        for words, group in zip(candidates, references, strict=True)
    )
    ratio = (c + 1e-15) / (r + 1e-9)
    return precision ** (1 / n) * (exp(1 - 1 / ratio) if ratio < 1 else 1)


def common_length(a: Words, b: Words) -> int:
    """The longest common subsequence, by the table of all lengths."""
    lengths = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, word in enumerate(a):
        for j, other in enumerate(b):
            longer = max(lengths[i][j + 1], lengths[i + 1][j])
            lengths[i + 1][j + 1] = lengths[i][j] + 1 if word == other else longer
    return lengths[-1][-1]


def rouge_l(words: Words, group: Sequence[Words]) -> float:
    """Lin 2004, with the best precision and the best recall of all references."""
    precision = max(common_length(words, reference) / len(words) for reference in group)
    recall = max(common_length(words, reference) / len(reference) for reference in group)
    if not precision or not recall:
        return 0.0
    return (1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision)


def cider(
    candidates: Sequence[Words], references: Sequence[Sequence[Words]], *, d: bool
) -> list[float]:
    """Vedantam et al. 2015, equations 1 to 3, and 4 and 5 for CIDEr-D."""
    scores = []
    for words, group in zip(candidates, references, strict=True):
        total = 0.0
        for n in range(1, 5):
            about = [set().union(*(ngrams(r, n) for r in others)) for others in references]

            def vector(sentence: Words, n: int = n, about: list = about) -> dict:
                return {
                    gram: count * log(len(about) / max(1, sum(gram in grams for grams in about)))
                    for gram, count in ngrams(sentence, n).items()
                }

            ours = vector(words)
            for reference in group:
                theirs = vector(reference)
                norms = sqrt(
                    sum(x * x for x in ours.values()) * sum(x * x for x in theirs.values())
                )
                clip = min if d else lambda x, _: x
                dot = sum(clip(x, theirs.get(g, 0)) * theirs.get(g, 0) for g, x in ours.items())
                pairs = max(0, len(words) - 1) - max(0, len(reference) - 1)
                penalty = exp(-(pairs**2) / 72) if d else 1
                total += dot / norms * penalty if norms else 0
        scores.append(10 * total / 4 / len(group))
    return scores
