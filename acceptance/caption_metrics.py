"""Caption metrics against coco-caption's own: every token, every score.

    python -m acceptance.caption_metrics --captions Flickr8k.token.txt

cuts every caption of the file with both tokenizers, scores the first caption of every picture
against its others with both, and compares; METEOR, a Java program that both ask, for the first
thousand pictures. It needs Java and pycocoevalcap 1.2 (`pip install pycocoevalcap`, 104 MB), which
the library itself does not. The twin splits at blanks: tokens of the words next to punctuation have
to give it away.
"""

import argparse
import contextlib
import io
import os
import sys
import time
from pathlib import Path

import numpy as np

from acceptance.verdict import conclude
from unrolled.metrics import caption_scores, caption_scores_each, caption_words
from unrolled.metrics.jars import meteor
from unrolled.readers.captions import read_captions

_TOLERANCE = 1e-9
_BY_METEOR = 1000  # pictures: it takes 15 ms each


def tokens_of_java(captions: list[str]) -> list[list[str]]:
    """Cut captions as coco-caption does, punctuation left out."""
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    os.environ["JAVA_TOOL_OPTIONS"] = "-Dfile.encoding=UTF-8"
    asked = {number: [{"caption": caption}] for number, caption in enumerate(captions)}
    found = PTBTokenizer().tokenize(asked)
    return [found[number][0].split() for number in range(len(captions))]


def scores_of_coco(candidates: list[str], references: list[list[str]]) -> dict[str, np.ndarray]:
    """Score captions, each alone, as coco-caption does."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    rows = iter(tokens_of_java([*candidates, *(text for group in references for text in group)]))
    found = {place: [" ".join(next(rows))] for place in range(len(candidates))}
    truth = {place: [" ".join(next(rows)) for _ in group] for place, group in enumerate(references)}
    with contextlib.redirect_stdout(io.StringIO()):
        bleus = Bleu(4).compute_score(truth, found, verbose=0)
    each = {f"bleu_{n}": np.array(scores) for n, scores in enumerate(bleus[1], start=1)}
    each["rouge_l"] = Rouge().compute_score(truth, found)[1]
    each["cider_d"] = Cider().compute_score(truth, found)[1]
    whole = {
        f"{name} of all": np.array([score]) for name, score in zip(each, bleus[0], strict=False)
    }
    return each | whole


def differences_of_meteor(
    candidates: list[list[str]], references: list[list[list[str]]]
) -> dict[str, float]:
    """Return how far its scores are from those that coco-caption gets, of the same words."""
    from pycocoevalcap.meteor import meteor as coco

    ours, ours_each = meteor(candidates, references, Path(coco.__file__).with_name(coco.METEOR_JAR))
    theirs, theirs_each = coco.Meteor().compute_score(
        {place: [" ".join(words) for words in group] for place, group in enumerate(references)},
        {place: [" ".join(words)] for place, words in enumerate(candidates)},
    )
    each = max(abs(a - b) for a, b in zip(ours_each, theirs_each, strict=True))
    return {"meteor": each, "meteor of all": abs(ours - theirs)}


def main() -> int:
    """Compare, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--captions", type=Path, required=True)
    asked = parser.parse_args()
    began = time.monotonic()
    pictures = [p for p in read_captions(asked.captions).pictures if len(p.captions) > 1]
    captions = [caption for picture in pictures for caption in picture.captions]
    wanted, words = tokens_of_java(captions), caption_words(captions)
    failures = [
        f"{caption!r}: java {want}, ours {got}"
        for caption, want, got in zip(captions, wanted, words, strict=True)
        if want != got
    ]
    candidates = [picture.captions[0] for picture in pictures]
    references = [list(picture.captions[1:]) for picture in pictures]
    ours = dict(caption_scores_each(candidates, references))
    of_all = caption_scores(candidates, references)
    ours |= {f"bleu_{n} of all": np.array([of_all[f"bleu_{n}"]]) for n in range(1, 5)}
    differences = {
        name: float(np.abs(ours[name] - scores).max())
        for name, scores in scores_of_coco(candidates, references).items()
    }
    following = iter(words)
    groups = [[next(following) for _ in picture.captions] for picture in pictures][:_BY_METEOR]
    differences |= differences_of_meteor(
        [first for first, *_ in groups], [rest for _, *rest in groups]
    )
    failures += [f"{n}: {d}" for n, d in differences.items() if not d <= _TOLERANCE]
    twin = [caption.lower().split() for caption in captions]
    return conclude(
        "caption_metrics",
        len(captions),
        failures,
        control_failed=any(a != b for a, b in zip(wanted, twin, strict=True)),
        exercised=len(pictures) > 1,
        figures={"pictures": len(pictures), "largest_difference": max(differences.values())},
        began=began,
    )


if __name__ == "__main__":
    sys.exit(main())
