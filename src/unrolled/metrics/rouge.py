"""ROUGE-L: the longest words in the same order that a candidate and a reference share."""

from collections.abc import Sequence

_BETA = 1.2  # how much more recall counts than precision


def rouge_l(candidate: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return ROUGE-L of a candidate: of all references, the best precision and the best recall.

        P = max LCS / words of the candidate          R = max LCS / words of the reference
        F = (1 + 1.2**2) P R / (R + 1.2**2 P)

    Source: Lin 2004, aclanthology.org/W04-1013, section 3; the maximum of each over references,
        and 1.2, from coco-caption.
    Example:
        >>> round(rouge_l(["a", "dog", "runs"], [["the", "dog", "runs"], ["a", "dog"]]), 4)
        0.8299
    """
    common = [length for length in _common_lengths(candidate or ("",), references)]
    sizes = [max(1, len(reference)) for reference in references]
    precision = max(common, default=0) / max(1, len(candidate))
    recall = max((shared / size for shared, size in zip(common, sizes, strict=True)), default=0.0)
    if not precision or not recall:
        return 0.0
    return (1 + _BETA**2) * precision * recall / (recall + _BETA**2 * precision)


def _common_lengths(candidate: Sequence[str], references: Sequence[Sequence[str]]) -> list[int]:
    """Return the length of the longest common subsequence with each reference.

    A row of the table of lengths is one integer: bit i is 0 where the length grows at word i. A
    word of the reference then changes a whole row at once.

    Source: Hyyrö 2004, Bit-parallel LCS-length computation revisited.
    """
    places: dict[str, int] = {}
    for place, word in enumerate(candidate):
        places[word] = places.get(word, 0) | 1 << place
    full = (1 << len(candidate)) - 1
    lengths = []
    for reference in references:
        row = full
        for word in reference or ("",):
            if word in places:
                matched = row & places[word]
                row = (row + matched) | (row - matched)
        lengths.append(len(candidate) - (row & full).bit_count())
    return lengths
