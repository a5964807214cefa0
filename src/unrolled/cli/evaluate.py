"""``unrolled evaluate``."""

from pathlib import Path
from typing import Literal

from unrolled.cli.imports import Imports, run_imports
from unrolled.cli.output import notice, print_json
from unrolled.errors import ConfigError


def evaluate(
    model: Path,
    /,
    *,
    data: str | None = None,
    encoding: str = "utf-8",
    part: Literal["train", "valid", "test", "held-out", "all"] | None = None,
    import_: Imports = (),
    json: bool = False,
) -> None:
    """Measure how well a model predicts a text, read in one piece from its beginning.

    Example: unrolled evaluate runs/language-1

    Args:
        model: a run folder or a model folder.
        data: a text file, a folder, a pattern or world; a run folder remembers its own.
        encoding: of the files.
        part: left out, it is the held-out part of the text that the model was trained on, and of
            any other text all that the model was not trained on.
        import_: a Python file of yours that registers the model's cell.
        json: print one JSON object and nothing else.
    """
    from unrolled.tasks.language import LanguageModel
    from unrolled.tasks.language_evaluation import evaluate_file
    from unrolled.tasks.language_run import read_request
    from unrolled.training.configuration import expand_path
    from unrolled.training.device import use_threads
    from unrolled.training.run_folder import CONFIGURATION

    run_imports(import_)
    loaded = LanguageModel.load(model)
    if data is None and (model / CONFIGURATION).exists():
        request = read_request(model / CONFIGURATION)
        data, encoding = request["data"], request["reading"]["encoding"]
    if data is None:
        raise ConfigError("--data", f"{model}, which remembers no file", "pass a text")
    data = expand_path(data)
    use_threads(0)
    figures = evaluate_file(loaded, data, encoding=encoding, part=part).figures()
    if json:
        print_json({"model": str(model), "data": data, **figures})
        return
    for name, words in (
        ("seen_in_training", "characters were left out: the model was trained on them"),
        ("unknown", "characters or words are unknown to the model"),
        ("files_left_out", "of the files left out, as no text"),
    ):
        if figures[name]:
            notice(f"{figures[name]:,} {words}")
    print(
        f"{figures['nats_per_character']:.4f} nats = {figures['bits_per_character']:.4f} bits per "
        f"character, perplexity {figures['perplexity']:.2f}, over {figures['items']:,} tokens "
        f"({figures['part']})"
    )
