"""Networks side by side on the same clips: trained, judged and timed, over seeds and folds."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import torch

from unrolled.diagnostics import census
from unrolled.streaming import Stream
from unrolled.tasks.comparison import Cell, Contest, figures_of_all, trained
from unrolled.tasks.learning import Show
from unrolled.tasks.video.data import VideoData, read_video_data
from unrolled.tasks.video.keeping import kept_for
from unrolled.tasks.video.model import VideoModel
from unrolled.tasks.video.networks import as_recurrence, build_video_network
from unrolled.tasks.video.options import VideoOptions, VideoTrainingOptions
from unrolled.tasks.video.run import Given, begin, judge, reopen
from unrolled.training.configuration import expand_path
from unrolled.training.modes import evaluating

_TIMED_FRAMES, _TIMED_CLIPS = 24, 3


@dataclass(frozen=True)
class VideoContest(Contest):
    """What is compared, and how.

    Args:
        data: a folder, a list, a CSV or world.
        models: names of networks or cells.
        seeds: runs of each on the same clips, from the seed of ``training`` on.
        folds: parts that test in turn; 1 for the split of the options.
        options: of each model, by its name.
        training: how long and how.
        reading: how clips are taken and judged.
    """

    training: VideoTrainingOptions
    reading: VideoOptions


@dataclass(frozen=True)
class Entry:
    """A row of the table.

    Args:
        model: its name.
        runs: how many there were.
        top1: mean share of held-out clips that are right.
        spread: standard deviation over the runs; None of a single one.
        mean_class_top1: the same mean, every class counting alike.
        parameters: numbers that it learns.
        macs_per_frame: multiply-accumulates for a frame of a clip.
        training_seconds: mean of the runs.
        milliseconds_per_frame: one stream alone; of a network over clips, a clip's by its frames.
        streams: whether it labels every frame as it comes.
    """

    model: str
    runs: int
    top1: float
    spread: float | None
    mean_class_top1: float
    parameters: int
    macs_per_frame: int
    training_seconds: float
    milliseconds_per_frame: float
    streams: bool


@dataclass(frozen=True)
class Comparison:
    """The table, and what naming the commonest class would get."""

    entries: list[Entry]
    majority_top1: float
    out: Path

    def figures(self) -> dict[str, Any]:
        """Return it for a report."""
        return {
            "out": str(self.out),
            "majority_top1": self.majority_top1,
            "models": [asdict(entry) for entry in self.entries],
        }


def compare(contest: VideoContest, out: Path, show: Show = lambda *_: None) -> Comparison:
    """Train and judge every model on every fold with every seed; what is finished is kept.

    Args:
        contest: what is compared.
        out: a folder; one in which the same comparison was begun is gone on with.
        show: is told how far it is.
    Raises:
        ConfigError: the folder holds another comparison.
    """
    data = read_video_data(expand_path(contest.data), contest.reading)
    data, preprocessing = kept_for(data, contest.reading, show=show)
    clip = (contest.reading.clip_frames, *preprocessing.frame)
    for model in contest.models:  # all of them, before hours go into the first
        classes = len(data.class_names)
        network = build_video_network(model, classes, contest.options.get(model, {}), clip)
        as_recurrence(network, clip, classes)

    def run(cell: Cell, path: Path, show: Show) -> dict[str, Any]:
        return _run(contest, data, path, cell, show)

    found = figures_of_all(contest, out, run, show)
    majority = [figures["majority_top1"] for runs in found.values() for figures in runs]
    entries = [_entry(model, runs) for model, runs in found.items()]
    return Comparison(entries, mean(majority), out)


def _run(
    contest: VideoContest, data: VideoData, path: Path, cell: Cell, show: Show
) -> dict[str, Any]:
    """Do one run, and return its figures."""
    reading = contest.reading
    if contest.folds > 1:
        reading = replace(reading, fold=f"{cell.fold + 1}/{contest.folds}")
    request = {
        "data": contest.data,
        "model": cell.model,
        "options": contest.options.get(cell.model, {}),
        "reading": asdict(reading),
        "training": asdict(replace(contest.training, seed=cell.seed)),
    }
    given = Given(data=data)
    learning, folder = trained(
        path,
        lambda: begin(path, request, show, given=given),
        lambda: reopen(path, show, given),
    )
    _, figures = judge(learning)
    learning.model.save(folder.model, figures)
    learning.model.network.cpu()  # where every model is timed
    return figures | _costs(learning.model)


def _costs(model: VideoModel) -> dict[str, Any]:
    """Return what a frame costs: products, and milliseconds."""
    x = torch.zeros(1, model.clip_frames, *model.preprocessing.frame)
    with evaluating(model.driven), torch.no_grad():
        macs = sum(layer.macs for layer in census(model.driven, x).layers)
        if model.streams:
            stream, times = Stream(model.driven), []
            for _ in range(_TIMED_FRAMES):
                began = time.perf_counter()
                stream.push(x[:, 0])
                times.append(time.perf_counter() - began)
        else:
            times = []
            for _ in range(_TIMED_CLIPS):
                began = time.perf_counter()
                model.driven(x)
                times.append((time.perf_counter() - began) / model.clip_frames)
    milliseconds = 1000 * median(times[len(times) // 3 :])
    stride = model.driven.stride
    return {"macs_per_frame": macs // stride, "milliseconds_per_frame": milliseconds}


def _entry(model: str, runs: Sequence[dict[str, Any]]) -> Entry:
    shares = [figures["top1"] for figures in runs]
    return Entry(
        model,
        len(runs),
        mean(shares),
        stdev(shares) if len(shares) > 1 else None,
        mean(figures["mean_class_top1"] for figures in runs),
        runs[0]["parameters"],
        runs[0]["macs_per_frame"],
        mean(figures["seconds"] for figures in runs),
        median(figures["milliseconds_per_frame"] for figures in runs),
        runs[0]["streams"],
    )
