"""What the video task learns from: samples with a label, whatever they are sequences of."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from glob import glob, has_magic
from pathlib import Path

import torch
from torch import Tensor

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.sequences import SequenceReading, is_sequence, read_sequence
from unrolled.readers.video import read_clip
from unrolled.readers.video_sets import VideoItem, read_video_set
from unrolled.storage import hash_file
from unrolled.tasks.parts import PARTS
from unrolled.tasks.video.options import DEFAULT_FRAMES_PER_SECOND, VideoOptions
from unrolled.tasks.video.preprocessing import AnyPreprocessing
from unrolled.tasks.video.splits import Member, split
from unrolled.world import MotionWorld

WORLD = "world"  # names the embedded data; a folder of this name is ./world
_WORLD_SEED = 0
_COLOURS = 3  # of a frame of a video


@dataclass(frozen=True)
class Sample:
    """One labelled sequence.

    Args:
        name: what reports call it.
        label: index of its class.
        group: the source that it shares with others.
        digest: SHA-256 of what it holds, or of what it is made from.
        part: "train", "valid" or "test" where the data says so itself; else "".
    """

    name: str
    label: int
    group: str
    digest: str
    part: str = ""


@dataclass(frozen=True)
class VideoData:
    """Samples, and how to read one.

    Args:
        source: what was read.
        class_names: of the labels.
        samples: all that is usable.
        read: gives the frames of sample i: uint8 [T, C, H, W] or float32 [T, D].
        frames_per_second: of what ``read`` gives; None where it has no clock.
        how: what decides how ``read`` reads a sample, in words: with the sample's digest it names
            the frames that it gives.
        channels: of a frame, where that is known without reading one.
        rejected: what is not usable, with the reason.
        damaged: what is used as far as it can be read, with the damage.
        kept_for: what the samples were resized for and kept, if they were.
        notices: what the caller should know, a sentence each.
    """

    source: str
    class_names: tuple[str, ...]
    samples: tuple[Sample, ...]
    read: Callable[[int], Tensor]
    frames_per_second: float | None
    how: str = ""
    channels: int | None = None
    rejected: tuple[tuple[str, str], ...] = ()
    damaged: tuple[tuple[str, str], ...] = ()
    kept_for: AnyPreprocessing | None = None
    notices: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Samples used and rejected."""
        return len(self.samples) + len(self.rejected)

    def only(self, numbers: Sequence[int]) -> "VideoData":
        """Return the data with some of its samples alone."""
        chosen = list(numbers)
        return replace(
            self,
            samples=tuple(self.samples[n] for n in chosen),
            read=lambda n: self.read(chosen[n]),
        )

    def parts(self, options: VideoOptions, *, seed: int = 0) -> dict[str, list[int]]:
        """Return the samples of train, valid and test, by index.

        Raises:
            ReaderError: there is nothing to learn from.
        """
        members = [
            Member(self.class_names[s.label], s.group, s.digest, s.part) for s in self.samples
        ]
        names = split(members, options, seed=seed)
        found = {part: [i for i, name in enumerate(names) if name == part] for part in PARTS}
        if not found["train"]:
            raise ReaderError(f"samples to train on in {self.source}", "none")
        return found


def read_video_data(source: str, options: VideoOptions) -> VideoData:
    """Find the samples in a folder, a list, a CSV or the embedded world; none is read yet.

    Raises:
        ReaderError: there is nothing to learn from.
    """
    data = _world(options) if source == WORLD else _files(source, options)
    if not data.samples:
        reason = data.rejected[0] if data.rejected else ("", "nothing there")
        raise ReaderError(f"labelled clips at {source}", ": ".join(filter(None, reason)))
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

    rate = world.frames_per_second
    return VideoData(WORLD, world.classes, samples, read, rate, channels=_COLOURS)


def _files(source: str, options: VideoOptions) -> VideoData:
    """Read a folder, a list or a CSV of videos, or of sequences of other sensors."""
    found = read_video_set(source, group=options.group)
    rate = options.frames_per_second or DEFAULT_FRAMES_PER_SECOND
    samples: list[Sample] = []
    used: list[VideoItem] = []
    rejected = [(str(path), reason) for path, reason in found.rejected]
    hashes: dict[Path, str] = {}
    for item in found.items:
        try:
            digest = _digest_of(item, hashes)
        except OSError as error:
            rejected.append((str(item.path), error.strerror or str(error)))
            continue
        stretch = (item.start_seconds, item.stop_seconds)
        name = str(item.path) if stretch == (None, None) else f"{item.path} {stretch}"
        label = found.class_names.index(item.label)
        samples.append(Sample(name, label, item.group, digest, item.part))
        used.append(item)

    def read(number: int) -> Tensor:
        return read_item(used[number], rate, options)

    sequences = [is_sequence(item.path) for item in used]
    return VideoData(
        source,
        found.class_names,
        tuple(samples),
        read,
        frames_per_second=None if used and all(sequences) else rate,
        how=f"{rate} {options.time_axis} {options.features} {options.skip_columns}",
        channels=None if any(sequences) else _COLOURS,
        rejected=tuple(rejected),
    )


def read_item(item: VideoItem, frames_per_second: float, options: VideoOptions) -> Tensor:
    """Read a video at a rate, or a sequence of another sensor step by step.

    Returns:
        uint8 [T, C, H, W] of pictures, else float [T, D].
    """
    if is_sequence(item.path):
        reading = SequenceReading(options.time_axis, options.features, options.skip_columns)
        steps = read_sequence(item.path, reading)
        if steps.ndim == 4:
            return (255 * steps).round().to(torch.uint8)
        return steps.flatten(1) if steps.ndim > 1 else steps[:, None]
    clip = read_clip(
        item.path,
        start_seconds=item.start_seconds,
        stop_seconds=item.stop_seconds,
        frames_per_second=frames_per_second,
    )
    return clip.frames


def _digest_of(item: VideoItem, hashes: dict[Path, str]) -> str:
    """Return the SHA-256 of what an item holds; of a stretch or a row, of the file and which."""
    written, row_sign, row = str(item.path).partition("#")
    path = Path(written)
    if path not in hashes:
        sums = [hash_file(file) for file in _files_of(path)]
        hashes[path] = sums[0] if len(sums) == 1 else _digest(" ".join(sums))
    stretch = (item.start_seconds, item.stop_seconds)
    if not row_sign and stretch == (None, None):
        return hashes[path]
    return _digest(f"{hashes[path]} {row} {stretch}")


def _files_of(path: Path) -> list[Path]:
    """Return the file, those of a folder, or those that a pattern names."""
    if path.is_dir():
        return sorted(part for part in path.iterdir() if part.is_file())
    if path.exists() or not has_magic(str(path)):
        return [path]
    found = sorted(map(Path, glob(str(path))))
    return found or [path]


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
