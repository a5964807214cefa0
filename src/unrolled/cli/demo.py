"""``unrolled demo``: one act a function, each of which a stop ends well."""

import os
from pathlib import Path
from typing import Any

from unrolled.cli.output import print_json
from unrolled.kernels.library import is_there
from unrolled.tasks.narrator_options import SENTENCES, narrator_training
from unrolled.training.run_path import new_run_path
from unrolled.training.signals import Stopped, StopSignals

_OTHER_SECONDS = 15  # that the demo takes beside the learning


def demo(
    *, out: Path | None = None, minutes: float = 0.75, seed: int = 0, json: bool = False
) -> int:
    """Watch the embedded world, and see a network learn to tell what happens in it.

    Shapes move about a stage and a narrator says what they do. A network reads the narration,
    writes as it learns, and is then judged by the grammar. Ctrl-C ends it well at any moment.

    Example: unrolled demo

    Args:
        out: a new folder for the run; runs/demo-N if left out.
        minutes: how long to learn.
        seed: of the world and of the network.
        json: print one JSON object and nothing else.
    """
    training, path = narrator_training(minutes, seed), new_run_path(out, "demo")
    figures: dict[str, Any] = {"out": str(path), "finished": False}
    say = _silence if json else _say
    with StopSignals() as stop:
        try:
            say(_introduction(60 * minutes, path))  # before torch is imported, which takes seconds
            if not json:
                from unrolled.cli.demo_film import show_film

                show_film(seed, stop.check)
            from unrolled.cli.demo_language import learn_to_narrate

            figures |= learn_to_narrate(path, training, say, stop.check)
        except Stopped:
            say("\nStopped before the network began to learn; nothing is kept.")
    if json:
        print_json(figures)
    elif "steps" in figures:
        say(_conclusion(figures))
    return 0 if figures["finished"] else 130


def _say(text: str) -> None:
    print(text, flush=True)


def _silence(_: str) -> None:
    """Leave it unsaid."""


def _introduction(seconds: float, path: Path) -> str:
    cores, minutes = os.cpu_count(), (seconds + _OTHER_SECONDS) / 60
    way = "native" if is_there() else "python"
    return f"""\
A network learns to tell what happens in a small world.

  1  a film of the world, with its narration                           7 s
  2  a network reads {SENTENCES:,} sentences of such narration {seconds:>14,.0f} s
  3  it tells new stories on, and the grammar judges every sentence    3 s

About {minutes:.1f} minutes in all, on the CPU (one of {cores} cores), {way} path.
It writes to {path}. Ctrl-C ends it well at any moment.
"""


def _conclusion(figures: dict[str, Any]) -> str:
    """Say what was learnt, where it is, and what to do with it."""
    path, lines = figures["out"], [""]
    verb = "After" if figures["finished"] else "Stopped after"
    lines.append(f"{verb} {figures['steps']:,} steps, {figures['seconds']:.0f} s:")
    if figures["nats_per_character"] is None:
        lines.append("  too early to measure what was learnt.")
    else:
        lines += [
            f"  {figures['nats_per_character']:.4f} nats per character on sentences it never read, "
            f"where {figures['floor']:.4f}",
            f"  is the least there can be: {figures['share_learnt']:.1%} of what can be learnt.",
        ]
    if "sentences" in figures:
        lines += [
            f"  Of {figures['sentences']} sentences, each the next of a new story, "
            f"{figures['grammatical']} are grammatical, and",
            f"  {figures['possible']} can happen with who is then on the stage: that takes memory.",
        ]
    lines.append(f"\nThe model is in {path}. What there is to see is in\n  {figures['report']}")
    if not figures["finished"]:
        lines.append(f"It goes on learning with:\n\n  unrolled train --resume {path}")
        return "\n".join(lines)
    lines += [
        "Now a text of yours:\n",
        "  unrolled train language --data YOUR.txt --max-minutes 3 --out runs/mine",
        "  unrolled generate runs/mine --temperature 0.8",
        "  unrolled evaluate runs/mine",
    ]
    return "\n".join(lines)
