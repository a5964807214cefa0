"""A run of the video task in its folder: begun, taken up again, finished."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from unrolled.errors import ConfigError, ReaderError
from unrolled.registry import import_file
from unrolled.tasks.model_folder import require_fitting_sizes
from unrolled.tasks.video import Learning, prepare
from unrolled.tasks.video_configuration import SECTIONS, comments, read_video_configuration
from unrolled.tasks.video_data import VideoData, read_video_data
from unrolled.tasks.video_evaluation import VideoScore, evaluate_samples
from unrolled.tasks.video_networks import Network, network_options, resolved_options
from unrolled.tasks.video_options import VideoOptions, VideoTrainingOptions
from unrolled.tasks.video_report import write_report
from unrolled.training.checkpoints import Checkpoint
from unrolled.training.configuration import check_section, expand_path
from unrolled.training.device import use_threads
from unrolled.training.loop import Progress
from unrolled.training.run_folder import CONFIGURATION, RunFolder

Show = Callable[[float, str], None]  # the share that is done, and a few words on it


@dataclass(frozen=True)
class Given:
    """What a run is given that no configuration can name.

    Args:
        imports: Python files that register classes.
        network: learns, in the place of one that is built by its name.
        data: is learnt from, in the place of files.
    """

    imports: tuple[Path, ...] = ()
    network: Network | None = None
    data: VideoData | None = None


def begin(
    out: Path | None, request: dict[str, Any], show: Show, given: Given = Given()
) -> tuple[Learning, RunFolder]:
    """Get a new run ready, in a folder of its own.

    Args:
        out: the folder; None takes the next runs/video-N.
        request: data, model, options, reading and training; data and model are None if given.
        show: is told how far it is.
        given: what the request cannot name.
    """
    for path in given.imports:
        import_file(path)
    request = request | {name: asdict(kind(**request[name])) for name, kind in SECTIONS.items()}
    if request["model"] is not None:
        request["options"] = resolved_options(request["model"], request["options"])
    record = {
        "import": [str(path) for path in given.imports],
        "class": None if given.network is None else type(given.network).__name__,
    }
    keep = request["training"]["keep"]
    folder = RunFolder.new(out, "video", request, keep, record=record, comments=comments())
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
    folder = RunFolder.open(path, read=read_request)
    checkpoint, faults = folder.checkpoints.load()
    if checkpoint is None and faults:
        raise ReaderError(f"a good checkpoint in {path}", "; ".join(map(str, faults)))
    try:
        for file in folder.record["import"]:
            import_file(Path(file))
        folder.checkpoints.keep = folder.request["training"]["keep"]
        name, options = folder.request["model"], folder.request["options"]
        if checkpoint is not None and name is not None:
            usual = network_options(name)
            unusual = {k: v for k, v in options.items() if usual.get(k) != v}
            require_fitting_sizes(unusual, checkpoint.tensors)
        learning = _prepare(folder, show, given)
    except (KeyError, TypeError, AttributeError) as error:
        got = " ".join(str(error).split())
        raise ReaderError(f"what a run needs to go on in {path}", got) from None
    learning.notices.extend(f"{fault}; the checkpoint before it is used" for fault in faults)
    if checkpoint is None:
        folder.truncate_log(0)
        learning.training.events.go_on_from(0)
    else:
        _restore(learning, checkpoint, path)
    return learning, folder


def finish(learning: Learning, folder: RunFolder, show: Show = lambda *_: None) -> dict[str, Any]:
    """Write the model and the report, and return the run's figures."""
    show(0.0, "judging")
    score, figures = judge(learning)
    learning.model.save(folder.model, figures)
    write_report(learning, folder, score, show=show)
    return figures


def judge(learning: Learning) -> tuple[VideoScore, dict[str, Any]]:
    """Return how good what a run has learnt is on what was held out, and the run's figures."""
    counters, clips = learning.counters, learning.clips
    part = "test" if learning.parts["test"] else "valid" if learning.parts["valid"] else "train"
    score = evaluate_samples(
        learning.model,
        clips,
        learning.parts[part],
        part=part,
        views=(learning.options.test_clips, learning.options.test_crops),
    )
    training_seconds = max(counters.seconds, 1e-9)
    figures = {
        **score.headline(),
        "valid_nats_per_clip": counters.best,
        "streams": learning.model.streams,
        "used": len(clips.data.samples),
        "rejected": len(clips.data.rejected),
        "total": clips.data.total,
        "parameters": sum(weight.numel() for weight in learning.model.network.parameters()),
        "steps": counters.step,
        "skipped": counters.skipped,
        "seconds": counters.seconds,
        "loader_share": min(1.0, learning.batches.clock.seconds / training_seconds),
    }
    return score, figures


def read_request(path: Path) -> dict[str, Any]:
    """Read the configuration in the folder of a run, which leaves no section out.

    Raises:
        ReaderError: there is no such file, or a section is missing in it.
        ConfigError: one of its keys or values is none of the video task.
    """
    request = read_video_configuration(path)
    for key in ("task", "data", "model", "options", *SECTIONS):
        if key not in request:
            raise ReaderError(f"the configuration of a run in {path}", f"no {key} in it")
    for section, kind in SECTIONS.items():
        check_section(kind, request[section], path)
    return request


def _restore(learning: Learning, checkpoint: Checkpoint, path: Path) -> None:
    try:
        learning.training.restore(checkpoint)
        _ = learning.training.data[learning.counters.position]  # is there in the data so split
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        got = f"another ({' '.join(str(error).split())})"
        cure = f"leave {CONFIGURATION} as the run wrote it"
        expected = f"a checkpoint that fits the configuration in {path}"
        raise ReaderError(expected, got, cure) from None


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
    name = request["model"] if given.network is None else given.network
    if name is None:
        expected = f"the {folder.record['class']} that this run was made from"
        cure = f"call unrolled.resume({str(folder.path)!r}, model=MODULE)"
        raise ConfigError(expected, "no module", cure)
    show(0.0, "reading")
    data = _data(folder, reading, given)
    use_threads(options.threads)
    words = ""

    def report(progress: Progress) -> None:
        nonlocal words
        if progress.loss is not None:
            words = f"{progress.loss:.3f} nats"
        show(progress.share, words)

    learning = prepare(
        data,
        name,
        request["options"],
        reading=reading,
        training=options,
        folder=folder,
        report=report,
        show=show,
    )
    digests = learning.model.parts
    if folder.record.setdefault("parts", digests) != digests:
        raise ReaderError(f"{request['data'] or 'the data'} as when the run began", "other clips")
    return learning
