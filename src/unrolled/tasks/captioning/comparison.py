"""Captioners side by side on the same pictures: trained, judged and timed, over seeds."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import torch

from unrolled.diagnostics import count_parameters
from unrolled.errors import ConfigError
from unrolled.tasks.captioning.data import read_captioning_data
from unrolled.tasks.captioning.learning_options import (
    CaptioningTrainingOptions,
    DescribingOptions,
)
from unrolled.tasks.captioning.model import CaptioningModel
from unrolled.tasks.captioning.networks import (
    build_captioner,
    captioner_class,
    captioner_options,
)
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.captioning.run import begin, judge, reopen
from unrolled.tasks.comparison import Cell, Contest, figures_of_all, trained
from unrolled.tasks.learning import Show
from unrolled.training.configuration import expand_path

_TIMED = 5  # captions that are searched for, one picture at a time
_WIDEST = 4096  # hidden size that equal parameters are looked for at


@dataclass(frozen=True)
class CaptioningContest(Contest):
    """What is compared, and how.

    Args:
        data: a file of captions or world.
        models: names of decoders; all take pictures, or all take films.
        seeds: runs of each on the same pictures, from the seed of ``training`` on.
        folds: 1.
        options: of each model, by its name.
        training: how long and how.
        equal_parameters: choose the hidden size of every model but the first so that all learn
            about as many numbers.
        reading: how pictures and captions are read.
        describing: the encoder, and how captions are searched for.
    """

    training: CaptioningTrainingOptions
    equal_parameters: bool
    reading: CaptioningOptions
    describing: DescribingOptions

    @property
    def films(self) -> bool:
        """Whether all models take films."""
        kinds = {captioner_class(name).films for name in self.models}
        if len(kinds) > 1:
            got = ", ".join(name for name in self.models if captioner_class(name).films)
            raise ConfigError("models that all take pictures, or all films", f"films for {got}")
        return kinds.pop()


@dataclass(frozen=True)
class CaptioningEntry:
    """A row of the table; figures are means over the runs.

    Args:
        model: its name.
        runs: how many there were.
        cider_d: consensus with the references.
        spread: standard deviation of it over the runs; None of a single one.
        bleu_4: four words in a row that the references have too.
        exact_match: share of captions that are one of their references.
        true: share of captions that are true; None where the data cannot tell.
        nats_per_word: of the references.
        pointing_accuracy: share of names said while looking at the object; None without attention.
        hidden_size: of the decoder; None where it has no such option.
        parameters: numbers that it learns.
        training_seconds: of a run.
        milliseconds_per_caption: one picture alone, by the beam of the options.
    """

    model: str
    runs: int
    cider_d: float
    spread: float | None
    bleu_4: float
    exact_match: float
    true: float | None
    nats_per_word: float
    pointing_accuracy: float | None
    hidden_size: int | None
    parameters: int
    training_seconds: float
    milliseconds_per_caption: float


@dataclass(frozen=True)
class CaptioningComparison:
    """The table."""

    entries: list[CaptioningEntry]
    out: Path

    def figures(self) -> dict[str, Any]:
        """Return it for a report."""
        return {"out": str(self.out), "models": [asdict(entry) for entry in self.entries]}


def compare(
    contest: CaptioningContest, out: Path, show: Show = lambda *_: None
) -> CaptioningComparison:
    """Train and judge every model with every seed; what is finished is kept.

    Args:
        contest: what is compared.
        out: a folder; one in which the same comparison was begun is gone on with.
        show: is told how far it is.
    Raises:
        ConfigError: the folder holds another comparison.
    """
    source = expand_path(contest.data)
    data = read_captioning_data(source, contest.reading, films=contest.films, show=show)
    options = options_of_all(contest, len(data.vocabulary))

    def run(cell: Cell, path: Path, show: Show) -> dict[str, Any]:
        request = {
            "data": contest.data,
            "model": cell.model,
            "options": options[cell.model],
            "reading": asdict(contest.reading),
            "describing": asdict(contest.describing),
            "training": asdict(replace(contest.training, seed=cell.seed)),
        }
        learning, folder = trained(
            path, lambda: begin(path, request, show), lambda: reopen(path, show)
        )
        _, figures = judge(learning, show=show)
        learning.model.save(folder.model, figures)
        learning.model.network.cpu()  # where every model is timed
        pixels = data.pixels(learning.held_out[1][0])
        return figures | {"milliseconds_per_caption": _milliseconds(learning.model, pixels)}

    found = figures_of_all(contest, out, run, show)
    sizes = {name: options[name].get("hidden_size") for name in contest.models}
    entries = [_entry(model, runs, sizes[model]) for model, runs in found.items()]
    return CaptioningComparison(entries, out)


def options_of_all(contest: CaptioningContest, vocabulary_size: int) -> dict[str, dict[str, Any]]:
    """Return the options of every model; each is built once, before hours go into the first."""
    encoder, first = contest.describing.encoder, 0
    found: dict[str, dict[str, Any]] = {}
    for name in contest.models:
        options = dict(contest.options.get(name, {}))
        usual = captioner_options(name, encoder)
        if "hidden_size" in usual:
            options.setdefault("hidden_size", usual["hidden_size"])
        count = parameters_of(name, encoder, vocabulary_size, options)
        if contest.equal_parameters and first and "hidden_size" in options:
            options["hidden_size"] = _fitting_size(name, encoder, vocabulary_size, options, first)
        first = first or count
        found[name] = options
    return found


def parameters_of(name: str, encoder: str, vocabulary_size: int, options: dict[str, Any]) -> int:
    """Return how many numbers a captioner learns; it is built on paper alone."""
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        network = build_captioner(name, encoder, vocabulary_size, options)
    return count_parameters(network)


def _fitting_size(
    name: str, encoder: str, vocabulary_size: int, options: dict[str, Any], wanted: int
) -> int:
    """Return the hidden size with which a model learns as many numbers as nearly as can be."""

    def count(size: int) -> int:
        return parameters_of(name, encoder, vocabulary_size, options | {"hidden_size": size})

    low, high = 1, _WIDEST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) <= wanted else (low, middle)
    return min((low, high), key=lambda size: abs(count(size) - wanted))


def _milliseconds(model: CaptioningModel, pixels: torch.Tensor) -> float:
    times = []
    for _ in range(_TIMED):
        began = time.perf_counter()
        model.describe_batch(pixels[None])
        times.append(1000 * (time.perf_counter() - began))
    return float(median(times[1:]))


def _entry(model: str, runs: Sequence[dict[str, Any]], hidden_size: int | None) -> CaptioningEntry:
    def average(key: str) -> float:
        return float(mean(figures[key] for figures in runs))

    scores = [figures["cider_d"] for figures in runs]
    looks = all("pointing_accuracy" in figures for figures in runs)
    return CaptioningEntry(
        model,
        len(runs),
        mean(scores),
        stdev(scores) if len(scores) > 1 else None,
        average("bleu_4"),
        average("exact_match"),
        average("true") if all("true" in figures for figures in runs) else None,
        average("nats_per_word"),
        average("pointing_accuracy") if looks else None,
        hidden_size,
        runs[0]["parameters"],
        average("seconds"),
        median(figures["milliseconds_per_caption"] for figures in runs),
    )
