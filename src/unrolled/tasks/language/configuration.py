"""What a configuration of the language task may say."""

from typing import Literal

from unrolled.tasks.configuration import TaskConfiguration
from unrolled.tasks.language.networks import DEFAULT_MODEL, network_options
from unrolled.tasks.language.options import LanguageOptions
from unrolled.training.options import TrainingOptions

LANGUAGE_CONFIGURATION = TaskConfiguration(
    task=Literal["language"],
    sections={"reading": LanguageOptions, "training": TrainingOptions},
    data="a file, a folder or a pattern",
    reading="how the text is read",
    default_model=DEFAULT_MODEL,
    usual_options=lambda request: network_options(request["model"]),
)
