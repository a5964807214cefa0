"""What a configuration of the video task may say."""

from typing import Literal

from unrolled.tasks.configuration import TaskConfiguration
from unrolled.tasks.video.networks import DEFAULT_MODEL, network_options
from unrolled.tasks.video.options import VideoOptions, VideoTrainingOptions

VIDEO_CONFIGURATION = TaskConfiguration(
    task=Literal["video"],
    sections={"reading": VideoOptions, "training": VideoTrainingOptions},
    data="a folder, a list, a CSV or world",
    reading="how clips are taken and judged",
    default_model=DEFAULT_MODEL,
    usual_options=lambda request: network_options(request["model"]),
)
