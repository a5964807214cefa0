"""``unrolled train``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from unrolled.cli.output import print_json, progress_bar
from unrolled.tasks.language_options import NetworkOptions
from unrolled.training.options import TrainingOptions

if TYPE_CHECKING:
    from unrolled.tasks.language import LanguageModel
    from unrolled.training.truncated_bptt import Progress


def language(
    *,
    data: Path,
    out: Path | None = None,
    encoding: str = "utf-8",
    network: Annotated[NetworkOptions, Parameter(name="*")] = NetworkOptions(),  # noqa: B008
    training: Annotated[TrainingOptions, Parameter(name="*")] = TrainingOptions(),  # noqa: B008
    json: bool = False,
) -> int:
    """Learn to predict the next character of a text file; its last tenth is held out.

    Example: unrolled train language --data book.txt --max-minutes 3

    Args:
        data: the text file.
        out: a new folder for the run; runs/language-N if left out.
        encoding: of the file.
        network: the network.
        training: the training.
        json: print one JSON object and nothing else.
    """
    from unrolled.readers.text import read_text
    from unrolled.tasks.language import learn
    from unrolled.training.device import use_threads
    from unrolled.training.run_folder import RunFolder

    text = read_text(data, encoding=encoding)
    request = {"data": str(data), "encoding": encoding, "network": asdict(network)}
    folder = RunFolder(out, "language", {**request, "training": asdict(training)})
    use_threads(training.threads)
    with progress_bar("learning") as bar:

        def report(progress: "Progress", _: "LanguageModel") -> None:
            bar(progress.share, f"{progress.loss:.3f} nats per character")
            if progress.validation is not None:
                folder.log(progress)

        model, result = learn(text, network, training, report=report)
    figures = {"nats_per_character": result.best, "steps": result.steps, "seconds": result.seconds}
    model.save(folder.model, figures)
    if json:
        print_json({"task": "language", "out": str(folder.path), **figures})
    else:
        print(
            f"{'stopped after' if result.interrupted else 'learnt in'} {result.steps:,} steps, "
            f"{result.seconds:.0f} s: {result.best:.4f} nats per character on the held-out end\n"
            f"the model is in {folder.path}; let it write:  unrolled generate {folder.path}"
        )
    return 130 if result.interrupted else 0
