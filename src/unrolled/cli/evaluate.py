"""``unrolled evaluate``."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from unrolled.cli.evaluate_captions import Judging, evaluate_captions
from unrolled.cli.imports import Imports, run_imports
from unrolled.cli.output import notice, print_json, print_table, progress_bar
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.diagnostics import MotionDiagnosis
    from unrolled.tasks.language.model import LanguageModel
    from unrolled.tasks.table import Task
    from unrolled.tasks.video.evaluation import VideoScore
    from unrolled.tasks.video.model import VideoModel


@dataclass(frozen=True)
class Live:
    """Videos joined to one long stream.

    Args:
        live: of videos: join them to one long stream and label that frame by frame.
        minutes: of that stream.
        background: of that stream: what idle stretches between the videos are made of, as `train`
            takes it; left out, as in training.
    """

    live: bool = False
    minutes: float = 10.0
    background: str | None = None


def evaluate(
    model: Path,
    /,
    *,
    data: str | None = None,
    part: Literal["train", "valid", "test", "held-out", "all"] | None = None,
    encoding: str = "utf-8",
    clips: int | None = None,
    crops: int | None = None,
    average: Literal["probabilities", "logits"] | None = None,
    group: str | None = None,
    cache: str | None = None,
    strict: bool = False,
    motion: bool = False,
    joined: Annotated[Live, Parameter(name="*")] = Live(),
    judging: Annotated[Judging, Parameter(name="*")] = Judging(),  # noqa: B008 (frozen)
    device: str = "cpu",
    import_: Imports = (),
    json: bool = False,
) -> None:
    """Measure how good a model is on what was held out of its data, or on other data.

    Example: unrolled evaluate runs/language-1

    Example: unrolled evaluate runs/video-1 --live --minutes 10

    Example: unrolled evaluate runs/captioning-1 --beam 5 --results captions.json

    Args:
        model: a run folder or a model folder.
        data: text, videos or captions, as `train` takes them; a run folder remembers its own.
        part: left out, what was held out of the model's own data; of other data, what is new to it.
        encoding: of texts.
        clips: of videos: how many clips of each are averaged; left out, as in training.
        crops: of videos: how many parts of the frame are averaged, likewise.
        average: of videos: what is averaged; left out, as in training.
        group: of other videos: a pattern whose match in a path is its group.
        cache: of videos: where decoded clips are kept, as `train` takes it; left out, in memory.
        strict: of videos and captions: fail if any is damaged or missing.
        motion: of videos: also say what is lost with frames shuffled, reversed and frozen.
        joined: of videos.
        judging: of captions.
        device: cpu, cuda, cuda:1 or mps; or auto, which is the machine's GPU if it has one.
        import_: a Python file of yours that registers the model's network.
        json: print one JSON object and nothing else.
    """
    task, loaded = _loaded(model, device, import_)
    data, reading = _data(task, model, data)
    if task.name == "language":
        return _language(loaded, model, data, part, reading.get("encoding", encoding), json=json)
    if task.name == "captioning":
        judging = replace(judging, images=judging.images or reading.get("images"))
        return evaluate_captions(loaded, model, data, part, judging, strict=strict, json=json)
    changes = {"test_clips": clips, "test_crops": crops, "group": group, "cache": cache}
    changes["strict"] = strict or None
    return _video(loaded, model, data, part, changes, average, joined, motion=motion, json=json)


def _loaded(model: Path, device: str, imports: tuple[Path, ...]) -> tuple["Task", Any]:
    """Return the task of a model and the model, on the device that it is to compute on."""
    from unrolled.tasks.table import load_model
    from unrolled.training.device import use_threads

    run_imports(imports)
    use_threads(0)
    return load_model(model, device)


def _data(task: "Task", model: Path, data: str | None) -> tuple[str, dict[str, Any]]:
    """Return the data: as given, or that of the model's run, with how the run was told to read."""
    from unrolled.training.configuration import expand_path
    from unrolled.training.run_folder import CONFIGURATION

    reading: dict[str, Any] = {}
    if data is None and (model / CONFIGURATION).exists():
        request = task.configuration.read_request(model / CONFIGURATION)
        data, reading = request["data"], request["reading"]
    if data is None:
        cure = f"pass {task.configuration.data}"
        raise ConfigError("--data", f"{model}, which remembers no data", cure)
    return expand_path(data), reading


def _language(
    loaded: "LanguageModel",
    model: Path,
    data: str,
    part: str | None,
    encoding: str,
    *,
    json: bool,
) -> None:
    from unrolled.tasks.language.evaluation import evaluate_file

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


def _video(
    loaded: "VideoModel",
    model: Path,
    data: str,
    part: str | None,
    changes: Mapping[str, Any],
    average: Literal["probabilities", "logits"] | None,
    joined: Live,
    *,
    motion: bool,
    json: bool,
) -> None:
    from unrolled.tasks.video.evaluation import evaluate_data
    from unrolled.tasks.video.motion import diagnose_data

    given = {name: value for name, value in changes.items() if value is not None}
    reading = replace(loaded.reading, **given)
    if joined.live:
        from unrolled.tasks.video.joined_evaluation import evaluate_live

        with progress_bar("evaluating") as bar:
            live = evaluate_live(
                loaded,
                data,
                joined.minutes,
                joined.background,
                part=part,
                reading=reading,
                show=bar,
            )
        if json:
            print_json({"model": str(model), "data": data, **live.figures()})
        else:
            print(live.summary())
        return
    with progress_bar("evaluating") as bar:
        score = evaluate_data(loaded, data, part=part, reading=reading, average=average, show=bar)
        found = (
            diagnose_data(loaded, data, part=part, reading=reading, show=bar) if motion else None
        )
    if json:
        figures = score.figures() | ({} if found is None else {"motion": found.figures()})
        print_json({"model": str(model), "data": data, **figures})
        return
    _show(score)
    if found is not None:
        _show_motion(found)


def _show(score: "VideoScore") -> None:
    from unrolled.tasks.video.view import class_rows

    figures = score.figures()
    if score.seen_in_training:
        notice(f"{score.seen_in_training:,} clips were left out: the model was trained on them")
    if score.unknown:
        notice(f"{score.unknown:,} clips were left out: their classes are not the model's")
    for words, faults in (("rejected", score.rejected), ("damaged", score.damaged)):
        for name, reason in faults:
            notice(f"{words}: {name}: {reason}")
    rows = [(name, f"{count:,}", *rest) for name, count, *rest in class_rows(score)]
    columns = ("class", "clips", "right %", "taken for")
    print_table("", columns, rows, right=columns[1:3])
    top5 = "" if score.top5 is None else f", top-5 {100 * score.top5:.1f} %"
    print(
        f"top-1 {100 * score.top1:.1f} %{top5} of {len(score.labels):,} clips ({score.part}); "
        f"mean of the classes {100 * figures['mean_class_top1']:.1f} %, the commonest class "
        f"{100 * score.majority:.1f} %; {figures['nats_per_clip']:.4f} nats per clip\n"
        f"{figures['used']:,} used + {len(score.rejected):,} rejected"
        f"{f' + {score.seen_in_training:,} seen in training' if score.seen_in_training else ''}"
        f"{f' + {score.unknown:,} of other classes' if score.unknown else ''}"
        f" = {figures['total']:,}"
    )


def _show_motion(found: "MotionDiagnosis") -> None:
    from unrolled.diagnostics import WAYS

    rows = [
        (name, f"{count:,}", *("-" if s is None else f"{100 * s:.1f}" for s in shares))
        for name, count, shares in found.rows()
    ]
    columns = ("class", "clips", *WAYS)
    print_table("the middle clip of each, right %", columns, rows, right=columns[1:])
