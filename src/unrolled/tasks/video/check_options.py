"""What a look at a set of videos can be told; read without importing torch."""

from dataclasses import dataclass
from typing import Literal

from unrolled.errors import ConfigError


@dataclass(frozen=True)
class VideoCheckOptions:
    """How labelled videos are found, and what a model will be shown of them.

    Args:
        group: a pattern; what it finds in a path names what the video was cut from.
        videos: the folder that the paths of a list begin from; left out, that of the list.
        clip_frames: frames of the clips that a model is shown.
        frames_per_second: of these clips.
        time_axis: of a sequence that is one picture: the axis that is time.
        features: of a sequence that is one row of a CSV file: numbers of a step.
        skip_columns: of such a row, before its numbers.
    """

    group: str | None = None
    videos: str | None = None
    clip_frames: int = 16
    frames_per_second: float = 5.0
    time_axis: Literal["width", "height"] = "width"
    features: int = 1
    skip_columns: int = 0

    def __post_init__(self) -> None:
        if self.clip_frames < 1 or not 0 < self.frames_per_second < float("inf"):
            got = f"{self.clip_frames} and {self.frames_per_second:g}"
            raise ConfigError("clip_frames and frames_per_second above 0", got)
