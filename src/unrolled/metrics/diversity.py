"""How much captions differ: the same caption for every picture is seen at once."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from unrolled.metrics.ptb_tokenizer import caption_words


class Diversity(NamedTuple):
    """What a set of captions draws on."""

    captions: int
    distinct_captions: int
    commonest_share: float  # of the captions that are the one given most often
    words_used: int  # distinct ones
    copied_share: float  # of the captions that stand word for word in the training captions


def diversity(candidates: Sequence[str], training: Sequence[str] = ()) -> Diversity:
    """Count what is distinct in captions, and what of them was copied.

    Captions are compared by their words: case and punctuation do not count.

    Args:
        candidates: the captions that a model gave.
        training: the captions that it learnt from.
    Example:
        >>> found = diversity(["A dog.", "a dog", "two cats", "a cat"], ["A dog!", "some cats"])
        >>> found.distinct_captions, found.commonest_share, found.words_used, found.copied_share
        (3, 0.5, 5, 0.5)
    """
    captions = [tuple(words) for words in caption_words(candidates)]
    learnt = {tuple(words) for words in caption_words(training)}
    times = Counter(captions)
    return Diversity(
        len(captions),
        len(times),
        max(times.values(), default=0) / max(1, len(captions)),
        len({word for caption in times for word in caption}),
        sum(caption in learnt for caption in captions) / max(1, len(captions)),
    )
