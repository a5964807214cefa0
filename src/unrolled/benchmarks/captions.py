"""How fast caption metrics are: text in, scores out, against coco-caption's own."""

import contextlib
import io
import random
from collections.abc import Callable, Sequence
from itertools import product
from string import ascii_lowercase
from typing import Any

from unrolled.benchmarks.timing import side_by_side
from unrolled.metrics import caption_scores

_VOCABULARY = 7000
_PEER_NAMES = {"bleu_1": 0, "bleu_2": 1, "bleu_3": 2, "bleu_4": 3, "rouge_l": 4, "cider_d": 5}

Captions = tuple[list[str], list[list[str]]]


def measure(
    *,
    num_pictures: int = 5000,
    num_references: int = 5,
    captions: Captions | None = None,
    rounds: int = 3,
    show: Callable[[float, str], None] = lambda *_: None,
) -> dict[str, Any]:
    """Measure BLEU, ROUGE-L and CIDEr with their tokenizer, against pycocoevalcap where it is.

    Args:
        num_pictures: candidates.
        num_references: of each.
        captions: candidates and references; None: sentences of random words, the common ones more
            often.
        rounds: turns that each has; medians are returned.
        show: is told how far it is.

    Returns:
        Seconds of each, and the largest difference between their scores.
    """
    candidates, references = captions or random_captions(num_pictures, num_references)
    calls: dict[str, Callable[[], Any]] = {"ours": lambda: caption_scores(candidates, references)}
    peer = _pycocoevalcap(candidates, references)
    found: dict[str, Any] = {"pictures": len(candidates), "times_faster": None, "difference": None}
    if peer is not None:
        calls["pycocoevalcap"] = peer
        ours, theirs = calls["ours"](), peer()
        found["difference"] = max(abs(ours[n] - theirs[i]) for n, i in _PEER_NAMES.items())
    found["seconds"] = side_by_side(calls, rounds=rounds, show=lambda share: show(share, "scoring"))
    if peer is not None:
        found["times_faster"] = found["seconds"]["pycocoevalcap"] / found["seconds"]["ours"]
    return found


def random_captions(num_pictures: int, num_references: int) -> Captions:
    """Draw captions of 6 to 16 words; the captions of a picture share a few."""
    generator = random.Random(0)
    words = ["".join(letters) for letters in product(ascii_lowercase, repeat=3)][:_VOCABULARY]
    generator.shuffle(words)
    shares = [1 / (rank + 1) for rank in range(len(words))]

    def caption(about: Sequence[str]) -> str:
        others = generator.choices(words, shares, k=generator.randint(4, 12))
        mixed = [*others, *generator.sample(about, k=2)]
        generator.shuffle(mixed)
        return f"{' '.join(mixed).capitalize()} ."

    subjects = [generator.choices(words, k=4) for _ in range(num_pictures)]
    references = [[caption(about) for _ in range(num_references)] for about in subjects]
    return [caption(about) for about in subjects], references


def _pycocoevalcap(
    candidates: Sequence[str], references: Sequence[Sequence[str]]
) -> Callable[[], list[float]] | None:
    """Return coco-caption's own way from text to scores, or None where it is not installed."""
    try:
        from pycocoevalcap.bleu.bleu import Bleu
        from pycocoevalcap.cider.cider import Cider
        from pycocoevalcap.rouge.rouge import Rouge
        from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer
    except ImportError:
        return None

    def score() -> list[float]:
        with contextlib.redirect_stdout(io.StringIO()):
            cut = PTBTokenizer().tokenize
            truth = cut({i: [{"caption": r} for r in group] for i, group in enumerate(references)})
            found = cut({i: [{"caption": text}] for i, text in enumerate(candidates)})
            bleus = Bleu(4).compute_score(truth, found, verbose=0)[0]
            metrics = (Rouge(), Cider())
            return [*bleus, *(float(m.compute_score(truth, found)[0]) for m in metrics)]

    return score
