"""``unrolled demo``: one act a function, each of which a stop ends well."""

import os
from pathlib import Path
from typing import Any, Literal

from unrolled.cli.output import print_json
from unrolled.kernels.library import is_there
from unrolled.tasks.narrator_options import SENTENCES, narrator_training
from unrolled.tasks.watcher_options import FILM_FRAMES, STREAMS, watcher_training
from unrolled.training.run_path import new_run_path
from unrolled.training.signals import Stopped, StopSignals
from unrolled.world.clip import FRAME_RATE_HZ

_MINUTES = {"language": 0.75, "watching": 1.0}  # of learning
_LOADING_SECONDS = 5


def demo(
    *,
    only: Literal["language", "watching"] | None = None,
    out: Path | None = None,
    minutes: float | None = None,
    seed: int = 0,
    json: bool = False,
) -> int:
    """Watch the embedded world, and see networks learn to tell what happens in it.

    Shapes move about a stage and a narrator says what they do. One network reads the narration,
    writes as it learns, and is then judged by the grammar. Another watches films, learns which way
    things move, and labels an unseen film frame by frame. Ctrl-C ends it well at any moment.

    Example: unrolled demo

    Example: unrolled demo --only watching

    Args:
        only: one of the two parts.
        out: a new folder for the runs; runs/demo-N if left out.
        minutes: how long each network learns; left out, 0.75 for language and 1 for watching.
        seed: of the world and of the networks.
        json: print one JSON object and nothing else.
    """
    parts = (only,) if only else tuple(_MINUTES)
    lengths = {part: _MINUTES[part] if minutes is None else minutes for part in parts}
    trainings = {
        part: training(length, seed)
        for part, length in lengths.items()
        for training in [narrator_training if part == "language" else watcher_training]
    }
    path = new_run_path(out, "demo")
    figures: dict[str, Any] = {"out": str(path), "finished": False}
    say = _silence if json else _say
    with StopSignals() as stop:
        try:
            say(_introduction(lengths, path))  # before torch is imported, which takes seconds
            if "language" in parts:
                figures["language"] = _language(path, trainings["language"], say, stop, json=json)
            stop.check()
            if "watching" in parts and figures.get("language", {}).get("finished", True):
                from unrolled.cli.demo_watching import learn_to_watch

                figures["watching"] = learn_to_watch(
                    path / "watching", trainings["watching"], say, stop.check, show=not json
                )
        except Stopped:
            if not {"language", "watching"} & set(figures):
                say("\nStopped before a network began to learn; nothing is kept.")
    figures["finished"] = all(figures.get(part, {}).get("finished", False) for part in parts)
    if json:
        print_json(figures)
    else:
        say(_conclusion(figures))
    return 0 if figures["finished"] else 130
