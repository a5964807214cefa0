"""What a configuration of the captioning task may say."""

from typing import Literal

from unrolled.tasks.captioning.learning_options import (
    CaptioningTrainingOptions,
    DescribingOptions,
)
from unrolled.tasks.captioning.networks import DEFAULT_MODEL, captioner_options
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.configuration import TaskConfiguration

CAPTIONING_CONFIGURATION = TaskConfiguration(
    task=Literal["captioning"],
    sections={
        "reading": CaptioningOptions,
        "describing": DescribingOptions,
        "training": CaptioningTrainingOptions,
    },
    data="a file of captions or world",
    reading="how pictures and captions are read",
    default_model=DEFAULT_MODEL,
    usual_options=lambda request: captioner_options(
        request["model"], request["describing"]["encoder"]
    ),
)
