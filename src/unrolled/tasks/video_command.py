"""The command line that a run of the video task can be repeated with."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from unrolled.tasks.language_command import changed_flags
from unrolled.tasks.video_networks import network_options
from unrolled.tasks.video_options import VideoOptions, VideoTrainingOptions

_USUAL = "causal_small"


def command_of(request: dict[str, Any], imports: Sequence[str] = ()) -> str:
    """Return the command that a request came from; options at their defaults are left out.

    Args:
        request: of a run.
        imports: files of code that it was told to import.

    Example:
        >>> command_of({"task": "video", "data": "clips", "reading": {"flip": True}})
        'unrolled train video --data clips --flip'
    """
    name = request.get("model", _USUAL)
    if name is None or request["data"] is None:  # no command line can give a module or tensors
        network, data = name or "the same module", request["data"] or "the same data"
        return f"unrolled.train({request['task']!r}, data={data!r}, model={network!r}, ...)"
    words = ["unrolled", "train", request["task"], "--data", str(request["data"])]
    words += changed_flags({"model": name}, {"model": _USUAL})
    usual = network_options(name) if request.get("options") else {}
    for key, value in request.get("options", {}).items():
        if key not in usual or usual[key] != value:
            text = value if isinstance(value, str) else json.dumps(value)
            words += ["--set", f"model.{key}={text}"]
    for path in imports:
        words += ["--import", path]
    words += changed_flags(request.get("reading", {}), asdict(VideoOptions()))
    words += changed_flags(request.get("training", {}), asdict(VideoTrainingOptions()))
    return shlex.join(words)
