"""``unrolled train video``."""

from typing import Annotated

from cyclopts import Parameter

from unrolled.cli.learning import RunFlags, learn
from unrolled.tasks.video.options import VideoOptions, VideoTrainingOptions


def video(
    *,
    data: str,
    model: str = "causal_small",
    run: Annotated[RunFlags, Parameter(name="*")] = RunFlags(),  # noqa: B008
    reading: Annotated[VideoOptions, Parameter(name="*")] = VideoOptions(),  # noqa: B008
    training: Annotated[VideoTrainingOptions, Parameter(name="*")] = VideoTrainingOptions(),  # noqa: B008
) -> int:
    """Learn to label clips: videos, or sequences of pictures or vectors from other sensors.

    Example: unrolled train video --data my_videos --out runs/actions

    Example: unrolled train video --data world --height 64 --width 64 --max-minutes 3

    Args:
        data: a folder with a folder of videos for each class, UCF101's or HMDB51's split files, a
            list of lines "path label", a CSV of path,start_seconds,end_seconds,label, or world,
            which is the embedded data; --config may say it instead.
        model: a network that labels clips or frames, a cell for sequences of vectors, or one of
            your own; the default labels every frame of a live stream as it comes.
        run: where it goes.
        reading: of the clips.
        training: of the model.
    """
    return learn("video", data, model, run, {"reading": reading, "training": training})
