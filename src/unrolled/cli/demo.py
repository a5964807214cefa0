"""``unrolled demo``: one act a function, each of which a stop ends well."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from unrolled.cli.output import print_json
from unrolled.kernels.library import is_there
from unrolled.tasks.describer_options import describer_training
from unrolled.tasks.narrator_options import SENTENCES, narrator_training
from unrolled.tasks.watcher_options import FILM_SECONDS, STREAMS, watcher_training
from unrolled.training.options import TrainingOptions
from unrolled.training.run_path import new_run_path
from unrolled.training.signals import Stopped, StopSignals

Say = Callable[[str], None]

_MINUTES = {"language": 0.75, "watching": 1.0, "describing": 0.65}  # of learning
_TRAININGS = {
    "language": narrator_training,
    "watching": watcher_training,
    "describing": describer_training,
}
_LOADING_SECONDS = 5


def demo(
    *,
    only: Literal["language", "watching", "describing"] | None = None,
    out: Path | None = None,
    minutes: float | None = None,
    seed: int = 0,
    json: bool = False,
) -> int:
    """Watch the embedded world, and see networks learn to tell what happens in it.

    Shapes move about a stage and a narrator says what they do. One network reads the narration,
    writes as it learns, and is then judged by the grammar. Another watches films, learns which way
    things move, and labels an unseen film frame by frame. A third looks at pictures, learns to
    describe them, and shows where it looks for every word. Ctrl-C ends it well at any moment.

    Example: unrolled demo

    Example: unrolled demo --only describing

    Args:
        only: one of the three parts.
        out: a new folder for the runs; runs/demo-N if left out.
        minutes: how long each network learns; left out, 0.75 for language, 1 for watching and
            0.65 for describing.
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
            for part in parts:
                stop.check()
                figures[part] = _PARTS[part](path / part, trainings[part], say, stop, not json)
                if not figures[part]["finished"]:
                    break
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
    path: Path, training: TrainingOptions, say: Say, stop: StopSignals, show: bool
) -> dict[str, Any]:
    """Show the film, and let a network learn to narrate."""
    if show:
        from unrolled.cli.demo_film import show_film

        show_film(training.seed, stop.check)
    from unrolled.cli.demo_language import learn_to_narrate

    return learn_to_narrate(path, training, say, stop.check)


def _watching(
    path: Path, training: TrainingOptions, say: Say, stop: StopSignals, show: bool
) -> dict[str, Any]:
    """Let a network learn to watch, and label a film."""
    from unrolled.cli.demo_watching import learn_to_watch

    return learn_to_watch(path, training, say, stop.check, show=show)


def _describing(
    path: Path, training: TrainingOptions, say: Say, stop: StopSignals, show: bool
) -> dict[str, Any]:
    """Let a network learn to describe, and show where it looks."""
    from unrolled.cli.demo_describing import learn_to_describe

    return learn_to_describe(path, training, say, stop.check, show=show)


_PARTS = {"language": _language, "watching": _watching, "describing": _describing}


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
    if "describing" in minutes:
        acts += [
            (
                "a network sees pictures and learns to describe them",
                60 * minutes["describing"],
            ),
            ("it describes unseen ones, and shows where it looks", 3),
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
    if "describing" in figures:
        lines += ["", *_described(figures["describing"])]
    path = figures["out"]
    reports = [figures[part].get("report") for part in _MINUTES if part in figures]
    lines += ["", f"The models are in {path}. What there is to see is in"]
    lines += [f"  {report}" for report in reports if report]
    for part in ("language", "describing"):  # runs of a task
        if not figures.get(part, {"finished": True})["finished"]:
            resume = f"  unrolled train --resume {path}/{part}"
            return "\n".join([*lines, "It goes on learning with:\n", resume])
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
        lines += [
            f"  unrolled predict {path}/describing world:7 --show",
            "  unrolled train captioning --data YOUR_CAPTIONS.json",
        ] * ("describing" in figures)
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


def _described(figures: dict[str, Any]) -> list[str]:
    verb = "after" if figures["finished"] else "stopped after"
    lines = [f"Describing: {verb} {figures['steps']:,} steps, {figures['seconds']:.0f} s:"]
    if "exact" not in figures:
        return [*lines, "  too early to measure what was learnt."]
    count, commonest = figures["pictures"], figures["commonest_caption"]
    baseline = f"{figures['commonest_caption_exact']:.0%}"
    lines += [
        f"  Of {count} unseen pictures {figures['exact']} get one of their captions word for word;",
        f"  {figures['true']:.0%} of what is said is true.",
        f"  Always saying {commonest!r} would be right of {baseline}.",
    ]
    if "pointing_accuracy" in figures:
        lines.append(
            f"  Naming a thing it looks at it in {figures['pointing_accuracy']:.0%} of cases, "
            f"{figures['pointing_chance']:.0%} by chance."
        )
    return lines
