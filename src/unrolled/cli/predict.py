"""``unrolled predict``."""

from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from unrolled.cli.imports import Imports, run_imports
from unrolled.cli.output import notice, print_json
from unrolled.cli.predict_captions import Looking, describe
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.language.model import LanguageModel
    from unrolled.tasks.video.model import VideoModel

_BAR = 40  # characters of the longest bar


def predict(
    model: Path,
    /,
    *input: str,
    count: int = 5,
    looking: Annotated[Looking, Parameter(name="*")] = Looking(),  # noqa: B008 (frozen)
    device: str = "cpu",
    import_: Imports = (),
    json: bool = False,
) -> int:
    """Say what a model expects of a text, what videos show, or in a sentence what pictures show.

    Example: unrolled predict runs/language-1 "The Beatles Abbey"

    Example: unrolled predict runs/video-1 match.mp4 photograph.jpg

    Example: unrolled predict runs/captioning-1 photograph.jpg --beam 5 --attention looked.png

    Args:
        model: a run folder or a model folder.
        input: a text to judge; or videos, pictures or sequences to label or to describe, one or
            more; world:7 is scene 7 of the embedded world.
        count: how many of the likeliest next tokens, or of the likeliest classes, to show.
        looking: of captions.
        device: cpu, cuda, cuda:1 or mps; or auto, which is the machine's GPU if it has one.
        import_: a Python file of yours that registers the model's network.
        json: print one JSON object and nothing else.
    """
    from unrolled.tasks.table import load_model

    run_imports(import_)
    task, loaded = load_model(model, device)
    if count < 1:
        raise ConfigError("a count of at least 1", str(count))
    if task.name == "captioning":
        return describe(loaded, model, input, looking, json=json)
    if task.name == "video":
        return _video(loaded, model, input, count, json=json)
    if len(input) != 1:
        raise ConfigError("one text to judge", str(len(input)), "put quotation marks around it")
    _language(loaded, model, input[0], count, json=json)
    return 0


def _language(loaded: "LanguageModel", model: Path, text: str, count: int, *, json: bool) -> None:
    from unrolled.tasks.language.prediction import predict

    prediction = predict(loaded, text, count=count)
    if json:
        print_json({"model": str(model), "input": text, **prediction.figures()})
        return
    for expectation in prediction.text:
        print(_line(expectation.token, expectation.log_probability))
    print(f"\nlog-probability {prediction.log_probability:.4f} nats in all\n\nwhat comes next:")
    for expectation in prediction.following:
        print(_line(expectation.token, expectation.log_probability))


def _video(
    loaded: "VideoModel", model: Path, sources: tuple[str, ...], count: int, *, json: bool
) -> int:
    """Print the likeliest classes of every file; the code is 2 where one could not be read."""
    from unrolled.tasks.video.prediction import predict

    if not sources:
        raise ConfigError("videos or pictures to label", "none", "name a file, or more")
    found = predict(loaded, sources, count=count)
    faults = [prediction for prediction in found if prediction.fault]
    if json:
        predictions = [prediction.figures() for prediction in found]
        print_json({"model": str(model), "predictions": predictions})
        return 2 if faults else 0
    labels = [guess.label for prediction in found for guess in prediction.guesses]
    width = max(map(len, labels), default=0)
    for prediction in found:
        if prediction.fault:
            notice(prediction.fault)
            continue
        print(prediction.source)
        for guess in prediction.guesses:
            bar = "█" * round(_BAR * guess.probability)
            print(f"  {guess.label:>{width}}  {100 * guess.probability:6.2f} %  {bar}".rstrip())
    return 2 if faults else 0


def _line(token: str, log_probability: float) -> str:
    share = exp(log_probability)
    bar = "█" * round(_BAR * share)
    return f"  {token!r:>12}  {log_probability:9.4f}  {100 * share:6.2f} %  {bar}".rstrip()
