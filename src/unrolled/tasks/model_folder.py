"""A saved model: one folder, enough by itself, in which nothing is ever executed."""

import json
from pathlib import Path
from typing import Any

from torch import Tensor

import unrolled
from unrolled.errors import ReaderError
from unrolled.storage import load_tensors, save_tensors, write_file

_FORMAT = 1
_VERBS = {"language": "generate"}  # what a card proposes


def write_model(
    folder: Path, task: str, config: dict[str, Any], tensors: dict[str, Tensor]
) -> None:
    """Write ``config.json``, ``model.safetensors`` and a README card."""
    head = {"format": _FORMAT, "unrolled": unrolled.__version__, "task": task}
    save_tensors(folder / "model.safetensors", tensors, {})
    write_file(folder / "config.json", json.dumps({**head, **config}, indent=2).encode())
    write_file(folder / "README.md", _card(task, config).encode())


def task_of_model(folder: Path) -> str:
    """Return the task of the model in a model folder or a run folder.

    Raises:
        ReaderError: no model there, or its configuration is damaged.
    """
    return str(_read_head(model_home(folder))[0]["task"])


def read_model(folder: Path, *, task: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read what ``write_model`` wrote; a run folder stands for the model in it.

    Raises:
        ReaderError: no model there, a damaged or newer one, or one of another task.
    """
    home = model_home(folder)
    config, path = _read_head(home)
    found = (config["format"], config["task"])
    if found != (_FORMAT, task):
        raise ReaderError(
            f"a model of format {_FORMAT} for {task} in {path}",
            f"format {found[0]} for {found[1]}",
            "use the version of unrolled that wrote it" if found[0] != _FORMAT else "",
        )
    return config, load_tensors(home / "model.safetensors")[0]


def _read_head(home: Path) -> tuple[dict[str, Any], Path]:
    """Return a model's configuration, which says its format and its task, and the file."""
    path = home / "config.json"
    try:
        config = json.loads(path.read_text("utf-8"))
        _ = config["format"], config["task"]
    except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
        raise ReaderError(f"a model's configuration in {path}", f"{error}") from None
    return config, path


def model_home(folder: Path) -> Path:
    """Return the model folder itself, of a model folder or of a run folder.

    Raises:
        ReaderError: no model there.
    """
    home = next((f for f in (folder, folder / "model") if (f / "config.json").is_file()), None)
    if home is None:
        got = "no config.json in it" if folder.is_dir() else "nothing there"
        raise ReaderError(f"a model folder at {folder}", got, "name a folder that `train` wrote")
    return home


def require_fitting_sizes(options: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Raise ``ReaderError`` for a size that no axis of the tensors, nor their number, bears out.

    A configuration may come from a stranger; a network of a thousand million layers must not be
    begun to be built only to find that the file holds five tensors.
    """
    largest = max([len(tensors), *(size for t in tensors.values() for size in t.shape)])
    for name, value in options.items():
        if isinstance(value, int) and value > largest:
            raise ReaderError(f"{name} of at most {largest}, as the tensors have", str(value))


def _card(task: str, config: dict[str, Any]) -> str:
    model = config["model"]
    name = model["name"] or f"{model['class']}, a module given from Python"
    options = {"network": name, **model["options"]}
    network = "\n".join(f"| {name} | {value} |" for name, value in options.items())
    figures = "\n".join(f"| {name} | {value} |" for name, value in config["figures"].items())
    return f"""---
library_name: unrolled
tags: [{task}]
---
# A {task} model

| network | |
|---|---|
{network}

| figure | |
|---|---|
{figures}

Use it: `unrolled {_VERBS.get(task, "predict")} FOLDER`, `unrolled evaluate FOLDER --data PATH`.
"""
