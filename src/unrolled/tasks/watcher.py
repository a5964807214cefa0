"""Watching the embedded world: a network learns from streams which way things move.

It learns frame by frame, its state carried from window to window over films in which movement and
standstill take turns. So it meets in training what it will meet live.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional as F

from unrolled.readers.live_source import LiveFrame
from unrolled.recurrence import Recurrence
from unrolled.registry import build_recurrence
from unrolled.streaming import FrameLabel, Labeller, label_frames
from unrolled.tasks.loading import Chunks
from unrolled.tasks.parts import PARTS
from unrolled.tasks.video.model import VideoModel
from unrolled.tasks.video.networks import describe
from unrolled.tasks.video.options import VideoOptions
from unrolled.tasks.video.preprocessing import Preprocessing
from unrolled.tasks.watcher_options import (
    CLASSES,
    FILM_SECONDS,
    NETWORK,
    NETWORK_OPTIONS,
    SIDE,
    STILL,
    STREAMS,
    WINDOW,
)
from unrolled.training.device import seed_everything, use_threads
from unrolled.training.loop import Poll, Progress, Training
from unrolled.training.options import TrainingOptions
from unrolled.training.truncated_bptt import Chunk
from unrolled.world import FRAME_RATE_HZ, MotionFilm, MotionWorld

_WINDOWS = 8  # of a film, before it is cut and another goes on
_CHUNKS = 4000  # of an epoch
_VALIDATING, _VALIDATION_FRAMES = 8, 160  # films
_UNSEEN = 2**30  # numbers of films from here on are never learnt from
_SETTLED_FRAMES = 6  # after a change: half a second, in which nobody can know yet

PREPROCESSING = Preprocessing(height=SIDE, width=SIDE, frames_per_second=FRAME_RATE_HZ)


class Films(Chunks):
    """Windows of films side by side: every row is one film after the other.

    Every other film begins in full motion, as what a camera sees may. By turns the next films are
    cut in without notice, the state carried on, and begin anew.

    Shapes: x [B, T, 3, H, W] float; target [B, T] int.
    Args:
        world: whose films they are.
        num_streams: B.
        window: T.
        length: windows of an epoch.
    """

    def __init__(
        self,
        world: MotionWorld,
        *,
        num_streams: int = STREAMS,
        window: int = WINDOW,
        length: int = _CHUNKS,
    ) -> None:
        self.world, self.num_streams, self.window, self.length = world, num_streams, window, length
        self._at = -1
        self._x, self._target = torch.empty(0), torch.empty(0)

    def __len__(self) -> int:
        return self.length

    def _chunk(self, number: int) -> Chunk:
        scene, part = divmod(number, _WINDOWS)
        if scene != self._at:
            first, frames = scene * self.num_streams, _WINDOWS * self.window
            films = [open_film(self.world, first + row, frames) for row in range(self.num_streams)]
            self._x, self._target = frames_and_targets(self.world, films)
            self._at = scene
        when = slice(part * self.window, (part + 1) * self.window)
        fresh = part == 0 and scene % 2 == 0
        return Chunk(self._x[:, when], self._target[:, when], number, fresh=fresh)


def open_film(world: MotionWorld, number: int, num_frames: int) -> MotionFilm:
    """Return a film that begins at rest, or, if its number is odd, in full motion."""
    return world.film(number, num_frames, idle_first=number % 2 == 0)


def frames_and_targets(
    world: MotionWorld, films: Sequence[MotionFilm]
) -> tuple[Float[Tensor, "B T 3 H W"], Int64[Tensor, "B T"]]:
    """Return films as the network takes them, with standstill as the last class."""
    frames = torch.stack([PREPROCESSING(torch.from_numpy(film.frames)) for film in films])
    labels = torch.from_numpy(np.stack([film.labels for film in films]))
    return frames, labels % (len(world.classes) + 1)  # IDLE is -1


def loss_of(logits: Float[Tensor, "B T K"], target: Int64[Tensor, "B T"]) -> Tensor:
    """Return the mean of -ln p(class) over all frames."""
    return F.cross_entropy(logits.flatten(0, 1), target.flatten())


def settled(target: Int64[Tensor, "B T"]) -> Tensor:
    """Tell which frames have had the same class for half a second, ``[B, T]``.

    Example:
        >>> settled(torch.tensor([[1] * 8 + [0] * 8]))[0].nonzero().flatten().tolist()
        [6, 7, 14, 15]
    """
    past = F.pad(target, (_SETTLED_FRAMES, 0), value=-1)
    windows = past.unfold(1, _SETTLED_FRAMES + 1, 1)
    return (windows == target[..., None]).all(dim=-1)


class Accuracy(NamedTuple):
    """The share of frames that are labelled as is true.

    Args:
        frames: of all frames.
        settled: of those whose class has held for half a second.
    """

    frames: float
    settled: float


class Watched(NamedTuple):
    """What was said of the unseen film, frame by frame.

    Args:
        labels: one a frame.
        truth: the class of every frame, by number.
        difference: the largest one between the probabilities of the whole film and of its frames
            one by one.
        equal: how many labels are the same in both.
    """

    labels: tuple[FrameLabel, ...]
    truth: tuple[int, ...]
    difference: float
    equal: int

    def figures(self, class_names: Sequence[str]) -> dict[str, Any]:
        """Return it for a report."""
        milliseconds = sorted(label.compute_milliseconds for label in self.labels)
        right = [
            label.label == class_names[truth]
            for label, truth in zip(self.labels, self.truth, strict=True)
        ]
        return {
            "film_frames": len(self.labels),
            "film_frames_right": sum(right),
            "milliseconds_per_frame": milliseconds[len(milliseconds) // 2],
            "whole_clip_difference": self.difference,
            "equal_labels": self.equal,
        }


@dataclass(frozen=True)
class Watcher:
    """A network that learns to say, of every frame, what moves and which way.

    Args:
        world: what it watches.
        network: logits ``[B, T, K + 1]`` of frames; the last class is standstill.
        training: the loop.
        accuracies: what each validation found, by the number of updates before it.
    """

    world: MotionWorld
    network: Recurrence[Any, Any, Any, Any]
    training: Training
    accuracies: dict[int, Accuracy]

    @classmethod
    def begin(
        cls, training: TrainingOptions, report: Callable[[Progress], None] = lambda _: None
    ) -> "Watcher":
        """Get a network ready to learn.

        Args:
            training: how long and how; its seed is the world's as well.
            report: is told of every update and validation.
        """
        use_threads(training.threads)
        seed_everything(training.seed)
        world = MotionWorld(seed=training.seed, height=SIDE, width=SIDE, classes=CLASSES)
        class_count = len(world.classes) + 1
        network = build_recurrence(NETWORK, class_count, **NETWORK_OPTIONS)
        films = [open_film(world, _UNSEEN + row, _VALIDATION_FRAMES) for row in range(_VALIDATING)]
        x, target = frames_and_targets(world, films)
        accuracies: dict[int, Accuracy] = {}

        def validate(poll: Poll) -> float:
            poll()
            logits, _ = network(x)
            right = logits.argmax(dim=-1) == target
            after = right[settled(target)]
            found = Accuracy(right.double().mean().item(), after.double().mean().item())
            accuracies[loop.counters.step] = found
            return loss_of(logits, target).item()

        data = Films(world, num_streams=training.batch_size, window=training.window)
        loop = Training(network, data, loss_of, validate, training, report=report)
        return cls(world, network, loop, accuracies)

    def learn(self, folder: Path) -> bool:
        """Learn to the end, or to a stop, and keep the model; return whether it was the end.

        Args:
            folder: gets the model, as one of the video task, so that every verb takes it.
        """
        finished = self.training.run()
        reading = VideoOptions(clip_frames=WINDOW, height=SIDE, width=SIDE)
        options = {name: _plain(value) for name, value in NETWORK_OPTIONS.items()}
        described = describe(NETWORK, options)
        parts: dict[str, list[str]] = {part: [] for part in PARTS}
        model = VideoModel(self.network, self.class_names, PREPROCESSING, described, reading, parts)
        known = {name: value for name, value in self.figures().items() if value is not None}
        model.save(folder, known)
        return finished

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, standstill last."""
        return (*self.world.classes, STILL)

    def figures(self) -> dict[str, Any]:
        """Return how far it has come; None is what there was no time to measure."""
        counters = self.training.counters
        measured = isfinite(counters.best)
        last = list(self.accuracies.values())[-1] if self.accuracies else None
        return {
            "steps": counters.step,
            "seconds": counters.seconds,
            "nats_per_frame": counters.best if measured else None,
            "frame_accuracy": None if last is None else last.frames,
            "settled_accuracy": None if last is None else last.settled,
            "chance": 1 / len(self.class_names),
        }

    def film(self) -> MotionFilm:
        """Return a film that it has not learnt from, nor been chosen by."""
        return self.world.film(_UNSEEN + _VALIDATING, round(FILM_SECONDS * FRAME_RATE_HZ))

    def live(self, film: MotionFilm, *, pace: bool) -> Iterator[FrameLabel]:
        """Label a film frame by frame, as if it came from a camera.

        Args:
            film: the frames.
            pace: wait for the time of each, as a player does.
        """
        labeller = Labeller(self.network, PREPROCESSING)
        return label_frames(labeller, self.class_names, _camera(film.frames), pace=pace)

    @torch.no_grad()
    def compared(self, film: MotionFilm, labels: Sequence[FrameLabel]) -> Watched:
        """Compare what was said frame by frame with what the whole film at once gives.

        Args:
            film: that was labelled.
            labels: all of them.
        """
        x, target = frames_and_targets(self.world, [film])
        logits, _ = self.network(x)
        whole = logits[0].softmax(dim=-1)
        single = torch.tensor([label.probabilities for label in labels])
        equal = whole.argmax(dim=-1) == single.argmax(dim=-1)
        difference = (whole - single).abs().max().item()
        return Watched(tuple(labels), tuple(target[0].tolist()), difference, int(equal.sum()))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _camera(frames: UInt8[np.ndarray, "T 3 H W"]) -> Iterator[LiveFrame]:
    """Yield frames as a source does: each is due at its time after the first was asked for."""
    began = time.monotonic()
    for number, frame in enumerate(frames):
        seconds = number / FRAME_RATE_HZ
        yield LiveFrame(torch.from_numpy(frame), seconds, began + seconds, 0)
