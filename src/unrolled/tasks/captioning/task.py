"""The captioning task's entry in the table of tasks."""

from typing import Any

from unrolled.tasks.captioning.configuration import CAPTIONING_CONFIGURATION
from unrolled.tasks.captioning.model import CaptioningModel
from unrolled.tasks.captioning.run import begin, finish, reopen
from unrolled.tasks.table import Task


def _outcome(figures: dict[str, Any]) -> str:
    pictures = f"{figures['pictures']:,}"
    lines = [
        f"CIDEr-D {figures['cider_d']:.3f}, BLEU-4 {100 * figures['bleu_4']:.1f} %, "
        f"{100 * figures['exact_match']:.1f} % of {pictures} captions ({figures['part']}) are one "
        f"of their references; {figures['nats_per_word']:.4f} nats per word",
        f"distinct captions: {figures['distinct_captions']:,} of {pictures}, "
        f"{100 * figures['copied_share']:.0f} % of them learnt word for word    "
        f"pictures: {figures['used']:,} used + {figures['rejected']:,} rejected = "
        f"{figures['total']:,}",
    ]
    if "pointing_accuracy" in figures:
        lines.append(
            f"attention: for {100 * figures['pointing_accuracy']:.1f} % of "
            f"{figures['pointing_words']:,} names of objects it is on the object, where chance is "
            f"{100 * figures['pointing_chance']:.1f} %"
        )
    return "\n".join(lines)


CAPTIONING = Task(
    name="captioning",
    configuration=CAPTIONING_CONFIGURATION,
    begin=begin,
    reopen=reopen,
    finish=finish,
    outcome=_outcome,
    afterwards=("let it describe pictures", "predict"),
    load=CaptioningModel.load,
)
