"""``unrolled evaluate``."""

from pathlib import Path
from typing import Literal

from unrolled.cli.output import print_json


def evaluate(
    model: Path,
    /,
    *,
    data: Path | None = None,
    encoding: str = "utf-8",
    part: Literal["held-out", "all"] | None = None,
    json: bool = False,
) -> None:
    """Measure how well a model predicts a text, read in one piece from its beginning.

    Example: unrolled evaluate runs/language-1

    Args:
        model: a run folder or a model folder.
        data: a text file; a run folder remembers the one it was trained on.
        encoding: of the file.
        part: the held-out last tenth, or all; left out, it is the held-out part of the text that
            the model was trained on, and all of any other.
        json: print one JSON object and nothing else.
    """
    from unrolled.readers.text import read_text
    from unrolled.tasks import language
    from unrolled.training.device import use_threads
    from unrolled.training.run_folder import request_of

    loaded = language.LanguageModel.load(model)
    if data is None:
        request = request_of(model)
        data, encoding = Path(request["data"]), request["encoding"]
    use_threads(0)
    score = language.evaluate(loaded, read_text(data, encoding=encoding), part=part)
    if json:
        print_json({"model": str(model), "data": str(data), **score.figures()})
    else:
        print(
            f"{score.nats_per_character:.4f} nats = {score.bits_per_character:.4f} bits per "
            f"character, over {score.characters:,} characters ({score.part})"
        )
