"""``unrolled train video``."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from unrolled.cli.configured import Format
from unrolled.cli.imports import Imports
from unrolled.cli.running import model_options, run_to_the_end
from unrolled.tasks.video_options import VideoOptions, VideoTrainingOptions


def video_format() -> Format:
    """Return what configurations of the video task look like."""
    from unrolled.tasks.video_configuration import VIDEO_CONFIGURATION

    return Format(VIDEO_CONFIGURATION.read, VIDEO_CONFIGURATION.sections)


def video(
    *,
    data: str,
    config: str | None = None,  # noqa: ARG001 (its values are already in the others)
    out: Path | None = None,
    model: str = "causal_small",
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative="", show_default=False)] = (),
    import_: Imports = (),
    reading: Annotated[VideoOptions, Parameter(name="*")] = VideoOptions(),  # noqa: B008
    training: Annotated[VideoTrainingOptions, Parameter(name="*")] = VideoTrainingOptions(),  # noqa: B008
    json: bool = False,
) -> int:
    """Learn to label clips: videos, or sequences of pictures or vectors from other sensors.

    Example: unrolled train video --data my_videos --out runs/actions

    Example: unrolled train video --data world --height 64 --width 64 --max-minutes 3

    Args:
        data: a folder with a folder of videos for each class, UCF101's or HMDB51's split files, a
            list of lines "path label", a CSV of path,start_seconds,end_seconds,label, or world,
            which is the embedded data; --config may say it instead.
        config: a YAML file, such as the config.yaml of a run, or a recipe that `unrolled list`
            names; a flag beside it overrides what it says.
        out: a new folder for the run; runs/video-N if left out.
        model: a network that labels clips or frames, a cell for sequences of vectors, or one of
            your own; the default labels every frame of a live stream as it comes.
        set_: an option of the model, as in --set model.hidden_size=256; `unrolled inspect NAME`
            shows them; may be repeated.
        import_: a Python file of yours that registers networks.
        reading: of the clips.
        training: of the model.
        json: print one JSON object and nothing else.
    """
    from unrolled.tasks.table import task_named
    from unrolled.tasks.video_run import Given, begin

    request = {
        "data": data,
        "model": model,
        "options": model_options(set_),
        "reading": asdict(reading),
        "training": asdict(training),
    }
    given = Given(imports=import_)
    task = task_named("video")
    return run_to_the_end(task, lambda show: begin(out, request, show, given), json=json)
