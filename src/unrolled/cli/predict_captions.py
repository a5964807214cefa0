"""``unrolled predict`` of a captioning model: captions, and where the model looked."""

from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from unrolled.cli.output import notice, print_json
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.captioning.model import CaptioningModel
    from unrolled.tasks.captioning.prediction import CaptioningPrediction

_ENDINGS = (".png", ".gif")


@dataclass(frozen=True)
class Looking:
    """What is to be shown of captions.

    Args:
        beam: of captions: hypotheses that a search keeps, all of which are shown; left out, the
            best is shown, of as many as in training.
        show: of captions: show the picture in the terminal, once a word, lit where the model
            looked.
        attention: of one caption: write that to a file, a sheet (.png) or an animation (.gif).
    """

    beam: int | None = None
    show: Annotated[bool, Parameter(negative="")] = False
    attention: Path | None = None


def describe(
    loaded: "CaptioningModel",
    model: Path,
    sources: tuple[str, ...],
    looking: Looking,
    *,
    json: bool,
) -> int:
    """Print the captions of every file; the code is 2 where one could not be read."""
    from unrolled.tasks.captioning.attention import write_attention
    from unrolled.tasks.captioning.prediction import predict

    _check(loaded, sources, looking)
    found = predict(loaded, sources, beam=looking.beam)
    faults = [prediction for prediction in found if prediction.fault]
    if looking.attention is not None and not faults:
        pixels = found[0].pixels
        assert pixels is not None
        write_attention(pixels, found[0].captions[0], looking.attention)
    if json:
        predictions = [prediction.figures() for prediction in found]
        print_json({"model": str(model), "predictions": predictions})
        return 2 if faults else 0
    for prediction in found:
        if prediction.fault:
            notice(prediction.fault)
            continue
        print(prediction.source)
        for caption in prediction.captions if looking.beam else prediction.captions[:1]:
            print(f"  {100 * exp(caption.log_probability):6.2f} %  {caption.text}")
        if looking.show:
            _show(prediction)
    if looking.attention is not None and not faults:
        print(f"where it looked:  {looking.attention}")
    return 2 if faults else 0


def _check(loaded: "CaptioningModel", sources: tuple[str, ...], looking: Looking) -> None:
    kind = "films" if loaded.films else "pictures"
    if not sources:
        raise ConfigError(f"{kind} to describe", "none", "name a file, or more")
    if looking.beam is not None and looking.beam < 1:
        raise ConfigError("a beam of at least 1", str(looking.beam))
    path = looking.attention
    if path is None:
        return
    if not loaded.attends:
        got = f"{loaded.model['name']}, which sees the whole at once"
        raise ConfigError("a model that looks somewhere, for --attention", got)
    if len(sources) != 1:
        raise ConfigError("one input with --attention", f"{len(sources)}", "call it for each")
    if path.suffix.lower() not in _ENDINGS:
        raise ConfigError(f"--attention with a name in {' or '.join(_ENDINGS)}", str(path))
    if loaded.films and path.suffix.lower() == ".gif":
        raise ConfigError("--attention with a name in .png for films", str(path))


def _show(prediction: "CaptioningPrediction") -> None:
    """Show a picture in the terminal, once a word where the model looks."""
    from rich.console import Console

    from unrolled.cli.attention import AttentionPictures
    from unrolled.cli.picture import Picture

    best, pixels = prediction.captions[0], prediction.pixels
    assert pixels is not None
    console = Console()
    if best.weights is not None and best.grid is not None:
        likely = [exp(value) for value in best.log_probabilities]
        console.print(AttentionPictures(pixels, best.words, best.weights, best.grid, likely))
        return
    for frame in pixels if pixels.ndim == 4 else pixels[None]:
        console.print(Picture(frame.permute(1, 2, 0).numpy()))
