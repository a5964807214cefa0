"""The command line that a run of the language task can be repeated with."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from unrolled.tasks.language_networks import unusual_options
from unrolled.tasks.language_options import LanguageOptions
from unrolled.training.options import TrainingOptions


def command_of(request: dict[str, Any], imports: Sequence[str] = ()) -> str:
    """Return the command that a request came from; options at their defaults are left out.

    Args:
        request: of a run.
        imports: files of code that it was told to import.

    Example:
        >>> command_of({"task": "language", "data": "my book.txt", "options": {"hidden_size": 256}})
        "unrolled train language --data 'my book.txt' --set model.hidden_size=256"
    """
    name = request.get("model", "lstm")
    if name is None or request["data"] is None:  # no command line can give a module or a text
        network, text = name or "the same module", request["data"] or "the same text"
        return f"unrolled.train({request['task']!r}, data={text!r}, model={network!r}, ...)"
    words = ["unrolled", "train", request["task"], "--data", str(request["data"])]
    words += changed_flags({"model": name}, {"model": "lstm"})
    options = request.get("options", {})
    for key, value in unusual_options(name, options).items():
        text = value if isinstance(value, str) else json.dumps(value)
        words += ["--set", f"model.{key}={text}"]
    for path in imports:
        words += ["--import", path]
    words += changed_flags(request.get("reading", {}), asdict(LanguageOptions()))
    words += changed_flags(request.get("training", {}), asdict(TrainingOptions()))
    return shlex.join(words)


def changed_flags(values: dict[str, Any], defaults: dict[str, Any]) -> list[str]:
    """Return the flags of those values that are not what they are by default."""
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
