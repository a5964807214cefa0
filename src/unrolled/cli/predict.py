"""``unrolled predict``."""

from math import exp
from pathlib import Path

from unrolled.cli.imports import Imports, run_imports
from unrolled.cli.output import print_json

_BAR = 40  # characters of the longest bar


def predict(
    model: Path, text: str, /, *, count: int = 5, import_: Imports = (), json: bool = False
) -> None:
    """Say how likely a text is, token by token, and what is likeliest to come next.

    Example: unrolled predict runs/language-1 "The Beatles Abbey"

    Args:
        model: a run folder or a model folder.
        text: what to judge.
        count: how many of the likeliest next tokens to show.
        import_: a Python file of yours that registers the model's cell.
        json: print one JSON object and nothing else.
    """
    from unrolled.tasks.language import LanguageModel
    from unrolled.tasks.language_prediction import predict

    run_imports(import_)
    prediction = predict(LanguageModel.load(model), text, count=count)
    if json:
        print_json({"model": str(model), "input": text, **prediction.figures()})
        return
    for expectation in prediction.text:
        print(_line(expectation.token, expectation.log_probability))
    print(f"\nlog-probability {prediction.log_probability:.4f} nats in all\n\nwhat comes next:")
    for expectation in prediction.following:
        print(_line(expectation.token, expectation.log_probability))


def _line(token: str, log_probability: float) -> str:
    share = exp(log_probability)
    bar = "█" * round(_BAR * share)
    return f"  {token!r:>12}  {log_probability:9.4f}  {100 * share:6.2f} %  {bar}".rstrip()
