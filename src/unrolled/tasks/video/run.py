"""A run of the video task in its folder: begun, taken up again, finished."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unrolled.errors import ConfigError
from unrolled.tasks.beginning import new_run
from unrolled.tasks.continuing import network_of, require_unchanged, take_up
from unrolled.tasks.learning import Show, run_figures, show_progress
from unrolled.tasks.parts import held_out_part
from unrolled.tasks.video.configuration import VIDEO_CONFIGURATION
from unrolled.tasks.video.data import VideoData, read_video_data
from unrolled.tasks.video.evaluation import VideoScore, evaluate_samples
from unrolled.tasks.video.model import Learning, prepare
from unrolled.tasks.video.networks import Network, resolved_options
from unrolled.tasks.video.options import VideoOptions, VideoTrainingOptions
from unrolled.tasks.video.report import write_report
from unrolled.training.configuration import expand_path
from unrolled.training.device import use_threads
from unrolled.training.run_folder import RunFolder


@dataclass(frozen=True)
class Given:
    """What a run is given that no configuration can name.

    Args:
        network: learns, in the place of one that is built by its name.
        data: is learnt from, in the place of files.
    """

    network: Network | None = None
    data: VideoData | None = None


def begin(
    out: Path | None,
    request: dict[str, Any],
    show: Show,
    imports: tuple[Path, ...] = (),
    *,
    given: Given = Given(),
) -> tuple[Learning, RunFolder]:
    """Get a new run ready, in a folder of its own.

    Args:
        out: the folder; None takes the next runs/video-N.
        request: data, model, options, reading and training; data and model are None if given.
        show: is told how far it is.
        imports: Python files that register classes.
        given: what the request cannot name.
    """
    folder = new_run(
        out,
        "video",
        request,
        VIDEO_CONFIGURATION,
        lambda request: resolved_options(request["model"], request["options"]),
        imports,
        network=given.network,
    )
    return _prepare(folder, show, given), folder


def reopen(path: Path, show: Show, given: Given = Given()) -> tuple[Learning, RunFolder]:
    """Take a run up at its last good checkpoint.

    Args:
        path: the folder of the run.
        show: is told how far it is.
        given: the network and the data that the run began with, where it was given them.
    Raises:
        ReaderError: no run there, none of its checkpoints is good, or its data has changed.
        ConfigError: the run was given a network or data, and now is not.
    """
    return take_up(path, VIDEO_CONFIGURATION, lambda folder, _: _prepare(folder, show, given))


def finish(learning: Learning, folder: RunFolder, show: Show = lambda *_: None) -> dict[str, Any]:
    """Write the model and the report, and return the run's figures."""
    show(0.0, "judging")
    score, figures = judge(learning)
    learning.model.save(folder.model, figures)
    learning.model.network.cpu()  # a report looks at little, closely
    write_report(learning, folder, score, show=show)
    return figures


def judge(learning: Learning) -> tuple[VideoScore, dict[str, Any]]:
    """Return how good what a run has learnt is on what was held out, and the run's figures."""
    counters, data = learning.counters, learning.clips.data
    part = held_out_part(learning.parts)
    score = evaluate_samples(
        learning.model,
        learning.clips,
        learning.parts[part],
        part=part,
        views=(learning.options.test_clips, learning.options.test_crops),
    )
    figures = {
        **score.headline(),
        "valid_nats_per_clip": counters.best,
        "streams": learning.model.streams,
        **run_figures(
            learning, learning.batches, used=len(data.samples), rejected=len(data.rejected)
        ),
    }
    return score, figures


def _data(folder: RunFolder, reading: VideoOptions, given: Given) -> VideoData:
    if given.data is not None:
        return given.data
    if folder.request["data"] is None:
        cure = f"call unrolled.resume({str(folder.path)!r}, data=DATA)"
        raise ConfigError("the data that this run was given from Python", "none", cure)
    return read_video_data(expand_path(folder.request["data"]), reading)


def _prepare(folder: RunFolder, show: Show, given: Given) -> Learning:
    request = folder.request
    reading = VideoOptions(**request["reading"])
    options = VideoTrainingOptions(**request["training"])
    network = network_of(folder, given.network)
    show(0.0, "reading")
    data = _data(folder, reading, given)
    use_threads(options.threads)
    learning = prepare(
        data,
        network,
        request["options"],
        reading=reading,
        training=options,
        folder=folder,
        report=show_progress(show),
        show=show,
    )
    what = request["data"] or "the data"
    require_unchanged(folder, "parts", learning.model.parts, what=what)
    return learning
