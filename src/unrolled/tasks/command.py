"""The command line that a run can be repeated with."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from unrolled.tasks.configuration import TaskConfiguration


def command_of(
    request: Mapping[str, Any], configuration: TaskConfiguration, imports: Sequence[str] = ()
) -> str:
    """Return the command that a request came from; options at their defaults are left out.

    Args:
        request: of a run.
        configuration: of its task.
        imports: files of code that it was told to import.

    Example:
        >>> from unrolled.tasks.language.configuration import LANGUAGE_CONFIGURATION
        >>> request = {"task": "language", "data": "my book.txt", "model": "lstm"}
        >>> request |= {"options": {"hidden_size": 256}, "reading": {"level": "word"}}
        >>> command_of(request | {"training": {}}, LANGUAGE_CONFIGURATION)
        "unrolled train language --data 'my book.txt' --set model.hidden_size=256 --level word"
    """
    task, data, model = request["task"], request["data"], request["model"]
    if model is None or data is None:  # no command line can give what came from memory
        told = {"data": data or "the same data", "model": model or "the same module"}
        arguments = ", ".join(f"{name}={value!r}" for name, value in told.items())
        return f"unrolled.train({task!r}, {arguments}, ...)"
    words = ["unrolled", "train", task, "--data", str(data)]
    words += changed_flags({"model": model}, {"model": configuration.default_model})
    for key, value in configuration.unusual_options(request).items():
        text = value if isinstance(value, str) else json.dumps(value)
        words += ["--set", f"model.{key}={text}"]
    for path in imports:
        words += ["--import", path]
    for section, kind in configuration.sections.items():
        words += changed_flags(request[section], asdict(kind()))
    return shlex.join(words)


def changed_flags(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[str]:
    """Return the flags of those values that are not what they are by default.

    Example:
        >>> changed_flags({"flip": True, "crop": False, "height": 64}, {"height": 64})
        ['--flip', '--no-crop']
    """
    words: list[str] = []
    for name, value in values.items():
        if value is None or value == defaults.get(name):
            continue
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", str(value)]
    return words
