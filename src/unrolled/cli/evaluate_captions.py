"""``unrolled evaluate`` of a captioning model: the scores of its captions, and the result file."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.cli.output import notice, print_json, print_table, progress_bar
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.captioning.evaluation import CaptioningScore
    from unrolled.tasks.captioning.model import CaptioningModel


@dataclass(frozen=True)
class Judging:
    """How captions are judged, and where they are written.

    Args:
        images: of captions: the folder of the pictures; left out, as in training.
        beam: of captions: hypotheses that a search keeps; left out, as in training.
        results: of captions: write what was said to this file, as COCO's server takes it.
        meteor: of captions: meteor-1.5.jar, to score by METEOR too; it needs Java.
        spice: of captions: spice-1.0.jar, to score by SPICE too; it needs Java.
    """

    images: str | None = None
    beam: int | None = None
    results: Path | None = None
    meteor: Path | None = None
    spice: Path | None = None


def evaluate_captions(
    loaded: "CaptioningModel",
    model: Path,
    data: str,
    part: str | None,
    judging: Judging,
    *,
    strict: bool,
    json: bool,
) -> None:
    """Score what a model says of pictures, and print the table."""
    from unrolled.tasks.captioning.evaluation import Jars, evaluate_data

    if judging.beam is not None and judging.beam < 1:
        raise ConfigError("a beam of at least 1", str(judging.beam))
    reading = replace(loaded.reading, images=judging.images, strict=strict or loaded.reading.strict)
    with progress_bar("evaluating") as bar:
        score = evaluate_data(
            loaded,
            data,
            part=part,
            reading=reading,
            beam=judging.beam,
            jars=Jars(judging.meteor, judging.spice),
            show=bar,
        )
    if judging.results is not None:
        score.write_results(judging.results)
    if json:
        print_json({"model": str(model), "data": data, **score.figures()})
        return
    _show(score, "films" if loaded.films else "pictures")
    if judging.results is not None:
        print(f"the captions, as COCO's server takes them:  {judging.results}")


def _show(score: "CaptioningScore", kind: str) -> None:
    from unrolled.tasks.captioning.evaluation import METRICS

    figures, count = score.figures(), len(score.names)
    if score.seen_in_training:
        notice(f"{score.seen_in_training:,} {kind} were left out: the model was trained on them")
    for name, reason in score.rejected:
        notice(f"rejected: {name}: {reason}")
    rows = [(words, f"{figures[name]:.4f}") for name, words in METRICS.items() if name in figures]
    print_table(
        f"{count:,} {kind} ({score.part})",
        ("", "value"),
        [*rows, *_shares(figures), *_differences(figures)],
        right=("value",),
    )
    print(
        f"{figures['used']:,} used + {len(score.rejected):,} rejected"
        f"{f' + {score.seen_in_training:,} seen in training' if score.seen_in_training else ''}"
        f" = {figures['total']:,}"
    )


def _shares(figures: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("nats per word", f"{figures['nats_per_word']:.4f}"),
        ("word for word one of the references", _percent(figures["exact_match"])),
    ]
    if "true" in figures:
        rows.append(("true of the picture", _percent(figures["true"])))
    if "pointing_accuracy" in figures:
        names = f"{figures['pointing_words']:,} names"
        rows += [
            (f"looks at what it names ({names})", _percent(figures["pointing_accuracy"])),
            ("  attention inside its box", _percent(figures["pointing_inside"])),
            ("  if it looked everywhere alike", _percent(figures["pointing_chance"])),
        ]
    return rows


def _differences(figures: dict[str, Any]) -> list[tuple[str, str]]:
    found = figures["diversity"]
    rows = [
        ("distinct captions", f"{found['distinct_captions']:,} of {found['captions']:,}"),
        ("the commonest one", _percent(found["commonest_share"])),
        ("words used", f"{found['words_used']:,}"),
    ]
    if found["copied_share"] is not None:
        rows.append(("learnt word for word", _percent(found["copied_share"])))
    return rows


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
