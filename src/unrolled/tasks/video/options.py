"""What the video task can be told, but for the network; read without importing torch."""

from dataclasses import dataclass, fields
from math import isfinite
from typing import ClassVar, Literal, TypeAlias

from unrolled.errors import ConfigError
from unrolled.training.options import TrainingOptions

Average: TypeAlias = Literal["probabilities", "logits"]
IN_MEMORY = "memory"  # what --cache calls it
DEFAULT_FRAMES_PER_SECOND = 5.0  # of videos; 16 such frames are 3.2 s


@dataclass(frozen=True)
class VideoOptions:
    """The data, how clips are taken from it, and how they are judged.

    Args:
        split: percentages for train, valid and test; what belongs to one group, or is the same
            file, stays on one side; data that comes with a split keeps its own.
        group: a pattern whose match in a path is its group, such as "g[0-9]+"; left out, UCF101's
            groups are known, and every other video is a group of its own.
        fold: K/N takes part K of N, 1 to N, as test, and splits the rest into train and valid.
        clip_frames: frames of a clip (T).
        frames_per_second: of clips; left out, it is 5 for videos, and sequences that have no clock
            and the embedded world are taken frame by frame.
        height: rows that the network sees.
        width: columns that the network sees.
        resize: bring frames to that size by their shorter side, cutting the rest, or stretch them.
        crop: let training see a part that is chosen at random, instead of the middle.
        flip: let training mirror half of the clips; not where left and right matter, so it is off.
        time_jitter: how much faster or slower training lets a clip run, at most; 0.2 is 20 %.
        test_clips: clips of one video, evenly spread, whose scores are averaged to judge it.
        test_crops: parts of the frame, evenly spread, that are averaged too.
        average: what is averaged over clips, parts and frames.
        loss_frames: frames that are learnt from, of networks that label every frame.
        background: join clips with idle stretches to long sequences, carry the state through them,
            and learn the class "background" for the idle frames: a folder of videos in which
            nothing of interest happens; or gaps, what of the videos no label is for; or still, the
            last frame, held. Left out, every clip is learnt from by itself.
        weights: a model folder or a file of weights to start from; the classifier starts anew
            where the classes differ.
        freeze: train only what stands behind the network over single pictures, whose features are
            computed once and kept; crop, flip and time_jitter are then off.
        time_axis: of a sequence that is one picture: the axis that is time.
        features: numbers of a step, of a sequence that is one row of a CSV file.
        skip_columns: of such a row, before its numbers.
        world_clips: how many clips the embedded world makes, for data world.
        strict: refuse data of which anything is damaged or missing.
        cache: where decoded clips are kept: memory, or a folder, from which the next run over the
            same data begins without decoding, and which need not fit into memory.
        cache_gigabytes: of memory that clips may take; with more, name a folder.
    """

    split: str = "70/15/15"
    group: str | None = None
    fold: str | None = None
    clip_frames: int = 16
    frames_per_second: float | None = None
    height: int = 112
    width: int = 112
    resize: Literal["shorter_side", "stretch"] = "shorter_side"
    crop: bool = True
    flip: bool = False
    time_jitter: float = 0.0
    test_clips: int = 5
    test_crops: int = 1
    average: Average = "probabilities"
    loss_frames: Literal["every", "last"] = "every"
    background: str | None = None
    weights: str | None = None
    freeze: bool = False
    time_axis: Literal["width", "height"] = "width"
    features: int = 1
    skip_columns: int = 0
    world_clips: int = 1200
    strict: bool = False
    cache: str = IN_MEMORY
    cache_gigabytes: float = 4.0

    def __post_init__(self) -> None:
        for name in ("clip_frames", "height", "width", "test_clips", "test_crops", "world_clips"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} of at least 1", str(getattr(self, name)))
        if not 0 <= self.time_jitter < 1:
            raise ConfigError("a time_jitter from 0 to below 1", str(self.time_jitter))
        rate = self.frames_per_second
        if rate is not None and not (rate > 0 and isfinite(rate)):
            raise ConfigError("frames_per_second above 0", str(rate))
        if not 0 <= self.cache_gigabytes < 2**20:
            raise ConfigError("cache_gigabytes of at least 0", str(self.cache_gigabytes))
        if not self.cache:
            raise ConfigError(f"{IN_MEMORY} or a folder for --cache", repr(self.cache))
        if self.freeze and self.weights is None:
            raise ConfigError("--weights with --freeze", "nothing that is worth freezing")
        _ = shares(self.split), parse_fold(self.fold)

    @property
    def still(self) -> "VideoOptions":
        """The same, with all that training varies at random turned off."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return VideoOptions(**plain | {"crop": False, "flip": False, "time_jitter": 0.0})


@dataclass(frozen=True)
class VideoTrainingOptions(TrainingOptions):  # noqa: D101 (it has its parent's)
    # The words are those of every task; only what is usual differs.
    __doc__ = TrainingOptions.__doc__

    usual_epochs: ClassVar[int] = 30

    batch_size: int = 16
    learning_rate: float = 1e-3
    optimizer: Literal["adam", "adamw", "sgd", "adagrad", "rmsprop"] = "adamw"
    weight_decay: float = 1e-2
    warm_up: float = 0.05


def shares(split: str) -> tuple[float, float, float]:
    """Return the shares of train, valid and test.

    Raises:
        ConfigError: not two or three numbers, or all of them 0.
    Example:
        >>> shares("80/20")
        (0.8, 0.2, 0.0)
    """
    try:
        numbers = [float(number) for number in split.split("/")]
    except ValueError:
        numbers = []
    usable = len(numbers) in (2, 3) and min(numbers) >= 0 and all(map(isfinite, numbers))
    if not usable or numbers[0] <= 0:
        raise ConfigError("a split such as 70/15/15", repr(split))
    train, valid, test = (*numbers, 0.0)[:3]
    return train / sum(numbers), valid / sum(numbers), test / sum(numbers)


def parse_fold(fold: str | None) -> tuple[int, int] | None:
    """Return which of how many folds, counted from 1; None for none.

    Raises:
        ConfigError: not K/N with 1 <= K <= N and N of at least 2.
    Example:
        >>> parse_fold("2/5")
        (2, 5)
    """
    if fold is None:
        return None
    number, slash, count = fold.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal()):
        raise ConfigError("a fold such as 1/5", repr(fold))
    if not (1 <= int(number) <= int(count) and int(count) >= 2):
        raise ConfigError("a fold from 1/N to N/N, N of at least 2", repr(fold))
    return int(number), int(count)
