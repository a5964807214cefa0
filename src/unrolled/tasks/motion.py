"""Experiments on motion: small networks that learn from clips of the embedded world."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor, nn

from unrolled.diagnostics.motion import MotionDiagnosis, diagnose_motion
from unrolled.tasks.loading import Chunks
from unrolled.tasks.video.model import averaged, frame_losses
from unrolled.tasks.video.networks import as_recurrence
from unrolled.tasks.video.preprocessing import Preprocessing
from unrolled.training.loop import Poll, Training
from unrolled.training.options import TrainingOptions
from unrolled.training.truncated_bptt import Chunk
from unrolled.world import MotionClip

_VALIDATING = 64  # clips, the last of those that are learnt from
_BATCH = 50  # clips, where nothing is learnt


@runtime_checkable
class ClipWorld(Protocol):
    """A world of labelled clips, such as ``MotionWorld`` and ``TransitionWorld``."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the labels."""

    def clip(self, number: int) -> MotionClip:
        """Return the clip of a number."""


class LabelledClips(NamedTuple):
    """Clips and their labels."""

    frames: UInt8[Tensor, "N T 3 H W"]
    labels: Int64[Tensor, " N"]

    @classmethod
    def of(cls, world: ClipWorld, count: int, *, start: int = 0) -> "LabelledClips":
        """Return the clips of a world from number ``start`` on."""
        clips = [world.clip(number) for number in range(start, start + count)]
        frames = torch.from_numpy(np.stack([clip.frames for clip in clips]))
        return cls(frames, torch.tensor([clip.label for clip in clips]))

    def seen(self, part: slice | Tensor) -> Tensor:
        """Return some of the clips as networks take them, ``[B, T, 3, H, W]`` float."""
        height, width = self.frames.shape[-2:]
        return Preprocessing(height=height, width=width).normalize(self.frames[part])


class _Batches(Chunks):
    """An epoch of batches in one order; what is left over at its end is not used."""

    def __init__(self, clips: LabelledClips, batch_size: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(clips.labels), generator=generator)
        self.clips = clips
        self.orders = order[: len(order) // batch_size * batch_size].split(batch_size)

    def __len__(self) -> int:
        return len(self.orders)

    def _chunk(self, number: int) -> Chunk:
        order = self.orders[number]
        return Chunk(self.clips.seen(order), self.clips.labels[order], 0)


def learn(
    network: nn.Module,
    clips: LabelledClips,
    class_count: int,
    *,
    num_steps: int,
    batch_size: int = 32,
    learning_rate: float = 4e-3,
    seed: int = 0,
) -> None:
    """Train a network on clips, and leave it in eval().

    Args:
        network: over pictures, over clips, or a ``Recurrence``, whose every frame is learnt from.
        clips: all but the last 64 are learnt from; these choose the best weights.
        class_count: classes.
        num_steps: updates.
        batch_size: clips of an update.
        learning_rate: at its highest.
        seed: of the order.
    """
    learnt = LabelledClips(clips.frames[:-_VALIDATING], clips.labels[:-_VALIDATING])
    x, labels = clips.seen(slice(-_VALIDATING, None)), clips.labels[-_VALIDATING:]
    driven = as_recurrence(network, clips.frames.shape[1:], class_count)
    options = TrainingOptions(
        epochs=num_steps,
        max_steps=num_steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        warm_up=0.1,
    )

    @torch.no_grad()
    def validate(_: Poll) -> float:
        return frame_losses(driven(x)[0], labels).item()

    data = _Batches(learnt, batch_size, seed)
    Training(driven, data, frame_losses, validate, options).run()
    network.eval()


@torch.no_grad()
def scores(network: nn.Module, clips: Tensor, class_count: int) -> Tensor:
    """Return log-probabilities ``[B, classes]`` of clips, the mean where every frame has its own.

    Args:
        network: as ``learn`` takes it.
        clips: ``[B, T, 3, H, W]`` float.
        class_count: classes.
    """
    driven = as_recurrence(network, clips.shape[1:], class_count)
    logits, _ = driven(clips)
    return torch.stack([averaged(rows[None], "probabilities") for rows in logits]).log()


def accuracy(network: nn.Module, clips: LabelledClips, class_count: int) -> float:
    """Return the share of clips whose likeliest class is right."""
    right = 0
    for start in range(0, len(clips.labels), _BATCH):
        part = slice(start, start + _BATCH)
        found = scores(network, clips.seen(part), class_count).argmax(dim=1)
        right += int((found == clips.labels[part]).sum())
    return right / len(clips.labels)


def diagnose(
    network: nn.Module, clips: LabelledClips, class_names: Sequence[str], *, seed: int = 0
) -> MotionDiagnosis:
    """Return what a network's accuracy owes to the order of the frames, and to their motion."""
    batches = (
        (clips.seen(slice(start, start + _BATCH)), clips.labels[start : start + _BATCH])
        for start in range(0, len(clips.labels), _BATCH)
    )
    return diagnose_motion(
        lambda shown: scores(network, shown, len(class_names)),
        batches,
        class_names=class_names,
        seed=seed,
    )
