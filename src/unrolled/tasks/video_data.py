"""What the video task learns from: samples with a label, whatever they are sequences of."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from unrolled.errors import ConfigError, ReaderError
from unrolled.tasks.video_options import VideoOptions, parse_fold, shares
from unrolled.tasks.video_splits import PARTS, Member, split_by_fold, split_by_shares
from unrolled.world import MotionWorld

WORLD = "world"  # names the embedded data; a folder of this name is ./world
_WORLD_SEED = 0


@dataclass(frozen=True)
class Sample:
    """One labelled sequence.

    Args:
        name: what reports call it.
        label: index of its class.
        group: the source that it shares with others.
        digest: SHA-256 of what it holds, or of what it is made from.
        part: "train", "valid" or "test" where the data says so itself.
    """

    name: str
    label: int
    group: str
    digest: str
    part: str | None = None


@dataclass(frozen=True)
class VideoData:
    """Samples, and how to read one.

    Args:
        source: what was read.
        class_names: of the labels.
        samples: all that is usable.
        read: gives the frames of sample i: uint8 [T, C, H, W] or float32 [T, D].
        frames_per_second: of what ``read`` gives; None where it has no clock.
        rejected: what is not usable, with the reason.
        notices: what the caller should know, a sentence each.
    """

    source: str
    class_names: tuple[str, ...]
    samples: tuple[Sample, ...]
    read: Callable[[int], Tensor]
    frames_per_second: float | None
    rejected: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = field(default=())

    @property
    def total(self) -> int:
        """Samples used and rejected."""
        return len(self.samples) + len(self.rejected)

    def parts(self, options: VideoOptions, *, seed: int = 0) -> dict[str, list[int]]:
        """Return the samples of train, valid and test, by index.

        Raises:
            ReaderError: there is nothing to learn from.
        """
        members = [Member(s.label, s.group, s.digest) for s in self.samples]
        names = _split(members, [s.part for s in self.samples], options, seed)
        found = {part: [i for i, name in enumerate(names) if name == part] for part in PARTS}
        if not found["train"]:
            raise ReaderError(f"samples to train on in {self.source}", "none")
        return found


def read_video_data(source: str, options: VideoOptions) -> VideoData:
    """Read a folder, a list, a CSV or the embedded world.

    Raises:
        ReaderError: nothing usable there, or with ``strict`` anything that is not usable.
    """
    data = _world(options) if source == WORLD else _files(source, options)
    if not data.samples:
        reason = data.rejected[0] if data.rejected else ("", "nothing there")
        raise ReaderError(f"labelled clips at {source}", ": ".join(filter(None, reason)))
    if options.strict and data.rejected:
        name, reason = data.rejected[0]
        got = f"{len(data.rejected)} of {data.total} rejected, first {name}: {reason}"
        raise ReaderError(f"nothing damaged at {source}", got, "mend it, or drop --strict")
    if len(data.class_names) < 2:
        raise ReaderError(f"at least 2 classes at {source}", ", ".join(data.class_names))
    return data


def _world(options: VideoOptions) -> VideoData:
    world = MotionWorld(
        seed=_WORLD_SEED,
        height=options.height,
        width=options.width,
        frames=options.clip_frames,
    )
    rate = options.frames_per_second
    if rate not in (None, world.frames_per_second):
        expected = f"--frames-per-second {world.frames_per_second:g} with --data world"
        raise ConfigError(expected, f"{rate:g}", "leave it out")
    samples = tuple(
        Sample(f"clip {n}", world.label(n), str(n), _digest(f"motion world {world} {n}"))
        for n in range(options.world_clips)
    )

    def read(number: int) -> Tensor:
        return torch.from_numpy(world.clip(number).frames.copy())

    return VideoData(WORLD, world.classes, samples, read, world.frames_per_second)


def _split(
    members: Sequence[Member],
    given: Sequence[str | None],
    options: VideoOptions,
    seed: int,
) -> list[str]:
    """Return the part of every sample: as the data says, by folds, or by shares."""
    train, valid, _ = shares(options.split)
    fold = parse_fold(options.fold)
    if fold is not None:
        return split_by_fold(members, *fold, valid / (train + valid), seed=seed)
    if not any(given):
        return split_by_shares(members, shares(options.split), seed=seed)
    if "valid" in given:
        return [part or "train" for part in given]
    # Data with a test of its own: what validates comes from its training part.
    names = [part or "train" for part in given]
    learnt = [i for i, name in enumerate(names) if name == "train"]
    rest = (train / (train + valid), valid / (train + valid))
    for i, name in zip(learnt, split_by_shares([members[i] for i in learnt], rest), strict=True):
        names[i] = name
    return names


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
