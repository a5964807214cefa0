"""The command line that a run of the captioning task can be repeated with."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from unrolled.tasks.captioning_learning_options import (
    CaptioningTrainingOptions,
    DescribingOptions,
)
from unrolled.tasks.captioning_networks import DEFAULT_MODEL, unusual_options
from unrolled.tasks.captioning_options import CaptioningOptions
from unrolled.tasks.language_command import changed_flags


def command_of(request: dict[str, Any], imports: Sequence[str] = ()) -> str:
    """Return the command that a request came from; options at their defaults are left out.

    Args:
        request: of a run.
        imports: files of code that it was told to import.

    Example:
        >>> reading = {"height": 32, "width": 32}
        >>> command_of({"task": "captioning", "data": "world", "reading": reading})
        'unrolled train captioning --data world --height 32 --width 32'
    """
    name, describing = request.get("model", DEFAULT_MODEL), request.get("describing", {})
    words = ["unrolled", "train", request["task"], "--data", str(request["data"])]
    words += changed_flags({"model": name}, {"model": DEFAULT_MODEL})
    encoder = describing.get("encoder", DescribingOptions().encoder)
    for key, value in unusual_options(name, encoder, request.get("options", {})).items():
        text = value if isinstance(value, str) else json.dumps(value)
        words += ["--set", f"model.{key}={text}"]
    for path in imports:
        words += ["--import", path]
    words += changed_flags(request.get("reading", {}), asdict(CaptioningOptions()))
    words += changed_flags(describing, asdict(DescribingOptions()))
    words += changed_flags(request.get("training", {}), asdict(CaptioningTrainingOptions()))
    return shlex.join(words)
