"""``unrolled demo``: one act a function, each of which a stop ends well."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from unrolled.cli.output import print_json
from unrolled.kernels.library import is_there
from unrolled.tasks.narrator_options import SENTENCES, narrator_training
from unrolled.tasks.watcher_options import FILM_SECONDS, STREAMS, watcher_training
from unrolled.training.options import TrainingOptions
from unrolled.training.run_path import new_run_path
from unrolled.training.signals import Stopped, StopSignals

Say = Callable[[str], None]

_MINUTES = {"language": 0.75, "watching": 1.0}  # of learning
_TRAININGS = {"language": narrator_training, "watching": watcher_training}
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
    trainings = {part: _TRAININGS[part](length, seed) for part, length in lengths.items()}
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
            if not set(parts) & set(figures):
                say("\nStopped before a network began to learn; nothing is kept.")
    figures["finished"] = all(figures.get(part, {}).get("finished", False) for part in parts)
    if json:
        print_json(figures)
    elif set(parts) & set(figures):
        say(_conclusion(figures))
    return 0 if figures["finished"] else 130


def _language(
    path: Path, training: TrainingOptions, say: Say, stop: StopSignals, *, json: bool
) -> dict[str, Any]:
    """Show the film, and let a network learn to narrate."""
    if not json:
        from unrolled.cli.demo_film import show_film

        show_film(training.seed, stop.check)
    from unrolled.cli.demo_language import learn_to_narrate

    return learn_to_narrate(path / "language", training, say, stop.check)


def _say(text: str) -> None:
    print(text, flush=True)


def _silence(_: str) -> None:
    """Leave it unsaid."""


def _introduction(minutes: dict[str, float], path: Path) -> str:
    acts: list[tuple[str, float]] = []
    if "language" in minutes:
        acts += [
            ("a film of the world, with its narration", 7),
            (
                f"a network reads {SENTENCES:,} sentences of such narration",
                60 * minutes["language"],
            ),
            ("it tells new stories on, and the grammar judges every sentence", 3),
        ]
    if "watching" in minutes:
        acts += [
            (
                f"a network watches {STREAMS} films at a time: which way do things move?",
                60 * minutes["watching"],
            ),
            ("it labels an unseen film frame by frame", FILM_SECONDS),
        ]
    lines = [f"  {n}  {words:<66}{seconds:>4.0f} s" for n, (words, seconds) in enumerate(acts, 1)]
    total = (sum(seconds for _, seconds in acts) + _LOADING_SECONDS * len(minutes)) / 60
    way = "native" if is_there() else "python"
    return "\n".join(
        [
            "Networks learn to tell what happens in a small world.\n",
            *lines,
            f"\nAbout {total:.1f} minutes in all, on the CPU ({os.cpu_count()} cores), {way} path.",
            f"It writes to {path}. Ctrl-C ends it well at any moment.\n",
        ]
    )


def _conclusion(figures: dict[str, Any]) -> str:
    """Say what was learnt, where it is, and what to do with it."""
    lines: list[str] = []
    if "language" in figures:
        lines += ["", *_told(figures["language"])]
    if "watching" in figures:
        lines += ["", *_watched(figures["watching"])]
    path = figures["out"]
    reports = [figures[part]["report"] for part in _MINUTES if part in figures]
    lines += ["", f"The models are in {path}. What there is to see is in"]
    lines += [f"  {report}" for report in reports]
    if not figures.get("language", {"finished": True})["finished"]:
        return "\n".join(
            [*lines, "It goes on learning with:\n", f"  unrolled train --resume {path}/language"]
        )
    if figures["finished"]:
        lines += ["Now data of yours:\n"]
        lines += [
            "  unrolled train language --data YOUR.txt --max-minutes 3 --out runs/mine",
            "  unrolled generate runs/mine --temperature 0.8",
        ] * ("language" in figures)
        lines += [
            f"  unrolled stream {path}/watching YOUR.mp4",
            "  unrolled train video --data YOUR_VIDEOS",
        ] * ("watching" in figures)
    return "\n".join(lines)


def _told(figures: dict[str, Any]) -> list[str]:
    verb = "After" if figures["finished"] else "Stopped after"
    lines = [f"Language: {verb.lower()} {figures['steps']:,} steps, {figures['seconds']:.0f} s:"]
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
    return lines


def _watched(figures: dict[str, Any]) -> list[str]:
    verb = "after" if figures["finished"] else "stopped after"
    lines = [f"Watching: {verb} {figures['steps']:,} steps, {figures['seconds']:.0f} s:"]
    if figures["frame_accuracy"] is None:
        return [*lines, "  too early to measure what was learnt."]
    lines.append(
        f"  {figures['frame_accuracy']:.1%} of unseen frames right, "
        f"{figures['settled_accuracy']:.1%} half a second after a change; "
        f"{figures['chance']:.0%} by chance."
    )
    return lines
