"""The page on a network that learnt to watch: how well, what it said, and what it looks for."""

import io
from base64 import b64encode
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from markupsafe import Markup
from PIL import Image

from unrolled.diagnostics import count_parameters
from unrolled.diagnostics.motion import WAYS, MotionDiagnosis, diagnose_motion
from unrolled.reports import Line, draw_curves, draw_filters, render_page
from unrolled.storage import write_file
from unrolled.streaming.timeline import Timeline
from unrolled.tasks.watcher import PREPROCESSING, Watched, Watcher
from unrolled.tasks.watcher_options import SIDE, STILL, WINDOW
from unrolled.world import FRAME_RATE_HZ, MotionWorld

_TEMPLATE = Path(__file__).parent / "templates" / "watcher.html"
_DIAGNOSED_CLIPS = 160
_ENLARGED = 6  # pixels of the film for one of the network's
_TIMELINE_HEIGHT, _COLUMN = 60, 4  # pixels


def write_report(watcher: Watcher, watched: Watched | None, folder: Path) -> Path:
    """Write ``report.html``, and return its path.

    Args:
        watcher: the network, trained or stopped.
        watched: what it said of the unseen film; None if it was stopped before.
        folder: of the model.
    """
    path = folder / "report.html"
    diagnosis = diagnose_watcher(watcher)
    context = {
        "figures": watcher.figures(),
        "parameters": count_parameters(watcher.network),
        "class_names": watcher.class_names,
        "curve": _curve(watcher),
        "seen": None if watched is None else watched.figures(watcher.class_names),
        "film": None if watched is None else _film(watcher),
        "timeline": None if watched is None else _timeline(watcher, watched),
        "colours": _colours(watcher),
        "diagnosis": _rows(diagnosis),
        "ways": WAYS,
        "filters": draw_filters(watcher.network),
        "folder": str(folder),
    }
    write_file(path, render_page(_TEMPLATE, context).encode())
    return path


def diagnose_watcher(watcher: Watcher) -> MotionDiagnosis:
    """Return what the network's accuracy on short clips owes to motion; it may say "still" too."""
    seed, classes = watcher.world.seed + 1, watcher.world.classes
    world = MotionWorld(seed=seed, height=SIDE, width=SIDE, frames=WINDOW, classes=classes)
    clips = [world.clip(number) for number in range(_DIAGNOSED_CLIPS)]
    x = torch.stack([PREPROCESSING(torch.from_numpy(clip.frames)) for clip in clips])
    labels = torch.tensor([clip.label for clip in clips])
    return diagnose_motion(
        lambda shown: watcher.network(shown)[0][:, -1],
        [(x, labels)],
        class_names=watcher.class_names,
    )


def _rows(diagnosis: MotionDiagnosis) -> list[tuple[str, ...]]:
    return [
        (name, str(count), *("-" if share is None else f"{share:.1%}" for share in shares))
        for name, count, shares in diagnosis.rows()
        if count
    ]


def _curve(watcher: Watcher) -> Markup | None:
    steps = list(watcher.accuracies)
    found = list(watcher.accuracies.values())
    if not found:
        return Markup("")
    return draw_curves(
        [
            Line("all frames", steps, [accuracy.frames for accuracy in found], dots=True),
            Line("after half a second", steps, [a.settled for a in found], dots=True),
        ],
        x_label="updates",
        y_label="share of unseen frames right",
        rules={"chance": 1 / len(watcher.class_names)},
    )


def _film(watcher: Watcher) -> Markup:
    """Return the unseen film as a moving picture."""
    frames = watcher.film().frames.transpose(0, 2, 3, 1)
    large = frames.repeat(_ENLARGED, axis=1).repeat(_ENLARGED, axis=2)
    first, *others = (Image.fromarray(frame) for frame in large)
    file = io.BytesIO()
    milliseconds = round(1000 / FRAME_RATE_HZ)
    first.save(file, "GIF", save_all=True, append_images=others, duration=milliseconds, loop=0)
    return _picture(file.getvalue(), "gif", "the unseen film")


def _timeline(watcher: Watcher, watched: Watched) -> Markup:
    """Return what is true, and the probabilities beneath it, one column a frame."""
    said = Timeline(watcher.class_names, columns=len(watched.labels), background=STILL)
    for label in watched.labels:
        said.add(label.probabilities)
    colours = np.array(said.colours, dtype=np.uint8)
    truth = np.broadcast_to(
        colours[list(watched.truth)], (_TIMELINE_HEIGHT // 4, len(watched.truth), 3)
    )
    between = np.zeros((2, len(watched.truth), 3), dtype=np.uint8)
    stacked = np.concatenate([truth, between, said.picture(_TIMELINE_HEIGHT)])
    return _picture(
        _png(stacked.repeat(_COLUMN, axis=1)), "png", "truth above, probabilities below"
    )


def _colours(watcher: Watcher) -> list[tuple[str, str]]:
    """Return the classes with their colours in the timeline."""
    found = Timeline(watcher.class_names, columns=1, background=STILL).colours
    return [
        (name, f"rgb({red},{green},{blue})")
        for name, (red, green, blue) in zip(watcher.class_names, found, strict=True)
    ]


def _png(picture: UInt8[np.ndarray, "H W 3"]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def _picture(data: bytes, kind: str, words: str) -> Markup:
    address = f"data:image/{kind};base64,{b64encode(data).decode()}"
    return Markup('<img src="{}" alt="{}">').format(address, words)
