"""From frames as they were read to what a network sees: size, channels, scale."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from unrolled.errors import ConfigError, DtypeError, ReaderError, ShapeError

Resize: TypeAlias = Literal["shorter_side", "stretch", "none"]
Crop: TypeAlias = tuple[int, int]  # the top row and the left column of what is kept
IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of red, green and blue; what torchvision's networks saw
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
_MOST_PIXELS = 8192  # of a side


@dataclass(frozen=True)
class Preprocessing:
    """What happens to frames before a network sees them; a saved model carries it.

        resized = bilinear, antialiased, of uint8            [T, C, H', W']
        cropped = resized[..., top : top + height, left : left + width]
        x = (cropped / 255 - mean) / deviation               [T, C, height, width]

    Shapes: frames uint8 [T, C, H, W] of any size; x float32 [T, C, height, width].
    Args:
        height: rows that the network sees.
        width: columns that the network sees.
        frames_per_second: of the frames; None where they are taken as they are.
        resize: "shorter_side" keeps the shape of the picture, "stretch" gives it the shape that the
            network sees, "none" leaves it; then the middle is cut out.
        shorter_side: pixels, before cutting; None, or too few, makes the frame as small as height
            and width allow.
        mean: of each channel, of values from 0 to 1.
        deviation: of each channel.
        channels: the order in which the network takes them; frames are read as red, green, blue.
    Raises:
        ConfigError: sizes that do not fit, or a deviation of 0.
    Source: torchvision 0.28, ``transforms.v2.Resize(antialias=True)``, ``CenterCrop`` and
        ``Normalize`` on uint8 tensors, of which the resize is torch's own ``interpolate``.
        Differs: nothing; Pillow's bilinear resize differs by 1 in fewer than 1 % of the values.
    Example:
        >>> preprocessing = Preprocessing(height=112, width=112, frames_per_second=5)
        >>> preprocessing(torch.zeros(16, 3, 240, 320, dtype=torch.uint8)).shape
        torch.Size([16, 3, 112, 112])
    """

    height: int
    width: int
    frames_per_second: float | None = None
    resize: Resize = "shorter_side"
    shorter_side: int | None = None
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    deviation: tuple[float, ...] = (0.25, 0.25, 0.25)
    channels: Literal["rgb", "bgr"] = "rgb"

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            if not 1 <= getattr(self, name) <= _MOST_PIXELS:
                raise ConfigError(f"{name} from 1 to {_MOST_PIXELS}", str(getattr(self, name)))
        if self.shorter_side is not None and not (
            min(self.height, self.width) <= self.shorter_side <= _MOST_PIXELS
        ):
            least = min(self.height, self.width)
            raise ConfigError(f"shorter_side of at least {least}", str(self.shorter_side))
        rate = self.frames_per_second
        if rate is not None and not (rate > 0 and isfinite(rate)):
            raise ConfigError("frames_per_second above 0", str(rate))
        if len(self.mean) != len(self.deviation) or not all(d > 0 for d in self.deviation):
            raise ConfigError(
                "a deviation above 0 for every mean", f"{self.mean} and {self.deviation}"
            )

    def __call__(self, frames: Tensor) -> Tensor:
        """Return what the network sees of the middle of every frame."""
        return self.normalize(self.cut(self.resized(frames)))

    def size_before_cutting(self, height: int, width: int) -> tuple[int, int]:
        """Return the size to which a frame of this size is brought before it is cut.

        Example:
            >>> Preprocessing(height=112, width=112).size_before_cutting(240, 320)
            (112, 149)
        """
        wanted = self.shorter_side or 0
        if self.resize == "none":
            return height, width
        if self.resize == "stretch":
            factor = max(1.0, wanted / min(self.height, self.width))
            return round(factor * self.height), round(factor * self.width)
        size = _by_shorter_side(height, width, wanted)
        if size[0] >= self.height and size[1] >= self.width:
            return size
        if height * self.width <= width * self.height:
            return self.height, max(self.width, int(self.height * width / height))
        return max(self.height, int(self.width * height / width)), self.width

    def resized(self, frames: Tensor) -> Tensor:
        """Return uint8 frames brought to their size, not yet cut."""
        _require_frames(frames, len(self.mean))
        size = self.size_before_cutting(*frames.shape[-2:])
        if size[0] < self.height or size[1] < self.width:
            raise ShapeError(
                f"frames of at least {self.height} x {self.width}",
                f"{frames.shape[-2]} x {frames.shape[-1]}",
                "resize by shorter_side or stretch",
            )
        if size == tuple(frames.shape[-2:]):
            return frames
        return F.interpolate(frames, size=size, mode="bilinear", antialias=True)

    def cut(self, resized: Tensor, corner: Crop | None = None) -> Tensor:
        """Return the part that the network sees: the middle, or that with this corner."""
        top, left = corner or self.middle(*resized.shape[-2:])
        return resized[..., top : top + self.height, left : left + self.width]

    def middle(self, height: int, width: int) -> Crop:
        """Return the corner of the middle of a resized frame, as torchvision rounds it."""
        return round((height - self.height) / 2), round((width - self.width) / 2)

    def corners(self, height: int, width: int, crops: int) -> list[Crop]:
        """Return where M crops of a resized frame lie: the middle, or evenly along both sides.

        Example:
            >>> Preprocessing(height=112, width=112).corners(112, 149, crops=3)
            [(0, 0), (0, 18), (0, 37)]
        """
        if crops == 1:
            return [self.middle(height, width)]
        down, right = height - self.height, width - self.width
        shares = [number / (crops - 1) for number in range(crops)]
        return [(round(share * down), round(share * right)) for share in shares]

    def normalize(self, cropped: Tensor) -> Tensor:
        """Return float32 of uint8: scaled, its channels in the network's order."""
        if self.channels == "bgr":
            cropped = cropped.flip(-3)
        mean = torch.tensor(self.mean, device=cropped.device)
        deviation = torch.tensor(self.deviation, device=cropped.device)
        return (cropped / 255 - mean[:, None, None]) / deviation[:, None, None]

    def figures(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)

    @property
    def frame(self) -> tuple[int, ...]:
        """The shape of a frame that the network sees."""
        return len(self.mean), self.height, self.width

    @classmethod
    def of(cls, figures: dict[str, Any]) -> "Preprocessing":
        """Return what ``figures`` described, each value checked: the file may be a stranger's.

        Raises:
            ReaderError: a key or a value that it cannot have.
        """
        try:
            pairs = {name: tuple(figures[name]) for name in ("mean", "deviation")}
            found = cls(**{**figures, **pairs})
            numbers = (found.height, found.width, found.shorter_side or 1)
            if not all(isinstance(number, int) for number in numbers):
                raise TypeError("a size that is no whole number")
            if found.resize not in ("shorter_side", "stretch", "none"):
                raise TypeError(f"resize {found.resize!r}")
            if found.channels not in ("rgb", "bgr"):
                raise TypeError(f"channels {found.channels!r}")
        except (KeyError, TypeError, ConfigError) as error:
            raise ReaderError(
                "the preprocessing of a model", " ".join(str(error).split())
            ) from None
        return found


@dataclass(frozen=True)
class VectorPreprocessing:
    """The same for sequences of vectors, which have no size to change: x = (v - mean) / deviation.

    Shapes: v float [T, D]; x float32 [T, D].
    Args:
        mean: of each element, over what was learnt from.
        deviation: of each element.
        frames_per_second: of the vectors; None where they are taken as they are.
    Example:
        >>> VectorPreprocessing.fitted([torch.tensor([[1.0, 5.0], [3.0, 5.0]])]).mean
        (2.0, 5.0)
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    frames_per_second: float | None = None

    @classmethod
    def fitted(cls, sequences: Sequence[Tensor]) -> "VectorPreprocessing":
        """Return what brings these to mean 0 and deviation 1; what never varies is left alone."""
        steps = torch.cat(list(sequences)).double()
        deviation = steps.std(0, correction=0)
        deviation = torch.where(deviation > 0, deviation, torch.ones(()))
        return cls(tuple(steps.mean(0).tolist()), tuple(deviation.tolist()))

    def __call__(self, vectors: Tensor) -> Tensor:
        """Return what the network sees."""
        return self.normalize(self.resized(vectors))

    def resized(self, vectors: Tensor) -> Tensor:
        """Return the vectors as they are kept."""
        if vectors.ndim != 2 or vectors.shape[1] != len(self.mean):
            raise ShapeError(f"vectors [T, {len(self.mean)}]", str(list(vectors.shape)))
        return vectors.float()

    def normalize(self, vectors: Tensor) -> Tensor:
        """Return them with mean 0 and deviation 1."""
        mean = torch.tensor(self.mean, device=vectors.device)
        return (vectors - mean) / torch.tensor(self.deviation, device=vectors.device)

    def figures(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)

    @property
    def frame(self) -> tuple[int, ...]:
        """The shape of a step."""
        return (len(self.mean),)


AnyPreprocessing: TypeAlias = Preprocessing | VectorPreprocessing


def read_preprocessing(figures: dict[str, Any]) -> AnyPreprocessing:
    """Return what a model's configuration describes, each value checked.

    Raises:
        ReaderError: a key or a value that it cannot have.
    """
    if "height" in figures:
        return Preprocessing.of(figures)
    try:
        pairs = {name: tuple(map(float, figures[name])) for name in ("mean", "deviation")}
        return VectorPreprocessing(**{**figures, **pairs})
    except (KeyError, TypeError, ValueError) as error:
        raise ReaderError("the preprocessing of a model", " ".join(str(error).split())) from None


def _by_shorter_side(height: int, width: int, side: int) -> tuple[int, int]:
    """Return torchvision's size: the shorter side as wanted, the longer one rounded down."""
    if height <= width:
        return side, int(side * width / height)
    return int(side * height / width), side


def _require_frames(frames: Tensor, channels: int) -> None:
    if frames.dtype != torch.uint8:
        raise DtypeError("frames of uint8, 0 to 255", str(frames.dtype))
    if frames.ndim != 4 or frames.shape[1] != channels:
        cure = ""
        if frames.ndim == 4 and frames.shape[0] == channels:
            cure = "time comes first: call frames.transpose(0, 1)"
        elif frames.ndim == 4 and frames.shape[3] == channels:
            cure = "channels come second: call frames.permute(0, 3, 1, 2)"
        raise ShapeError(f"frames [T, {channels}, H, W]", str(list(frames.shape)), cure)
