"""Starting from weights that were learnt before, and features computed once where they stay."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from unrolled.encoders import PictureNetwork
from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.known_weights import how_to_get_weights, known_weights
from unrolled.readers.weights import read_weights
from unrolled.tasks.model_folder import read_model, task_of_model
from unrolled.tasks.video_clips import Clips
from unrolled.tasks.video_networks import AnyRecurrence, network_options
from unrolled.tasks.video_preprocessing import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    AnyPreprocessing,
    Preprocessing,
    VectorPreprocessing,
)
from unrolled.training.modes import evaluating

Show = Callable[[float, str], None]  # the share that is done, and a few words on it
_FRAMES_AT_A_TIME = 64
_ENCODER = "encoder."  # begins the names of a captioner's tensors that are its encoder's


class FrozenFront(Protocol):
    """A network in two parts, of which the first looks at every frame by itself and is frozen."""

    head: AnyRecurrence

    def features(self, x: Tensor) -> Tensor:
        """Return the features ``[B, T, D]`` of frames ``[B, T, C, H, W]``."""


def start_from(network: nn.Module, source: str) -> str:
    """Load what fits of a model folder or a file of weights, and say in a sentence what that was.

    Weights fit by name and shape, those of a network over pictures also where that is a part of the
    network; the rest, such as a classifier of other classes, stays as it began.

    Args:
        network: to begin from them.
        source: a folder that `train` or `convert` wrote, or a file of weights.
    Raises:
        ReaderError: nothing there, or damage.
        ConfigError: nothing in it fits.
    """
    tensors = _tensors(Path(source), network)
    parts = {"": network} | {
        f"{name}.": part
        for name, part in network.named_modules()
        if name and isinstance(part, PictureNetwork)
    }
    fitting = {prefix: _fitting(part, tensors) for prefix, part in parts.items()}
    prefix = max(fitting, key=lambda name: len(fitting[name]))
    found = fitting[prefix]
    if not found:
        expected = f"weights of a {type(network).__name__}, or of the network in it, in {source}"
        raise ConfigError(expected, f"none of {len(tensors)} that fits")
    parts[prefix].load_state_dict(found, strict=False)
    total = len(network.state_dict())
    return f"{len(found)} of {total} tensors start from {source}; the others start anew"


def preprocessing_like(chosen: AnyPreprocessing, source: str | None) -> AnyPreprocessing:
    """Return the preprocessing with the scale and channels that weights were learnt with."""
    if source is None or not isinstance(chosen, Preprocessing):
        return chosen
    path = Path(source)
    if path.is_dir():
        found = Preprocessing.of(read_model(path, task=task_of_model(path))[0]["preprocessing"])
        return replace(chosen, mean=found.mean, deviation=found.deviation, channels=found.channels)
    known = known_weights(path)
    if known is not None and known.learnt_from == "ImageNet" and path.suffix == ".pth":
        return replace(chosen, mean=IMAGENET_MEAN, deviation=IMAGENET_DEVIATION)
    return chosen


def frozen_options(name: str | nn.Module, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options with which a network's first part is frozen.

    Raises:
        ConfigError: it has no such part.
    """
    if not isinstance(name, str) or "frozen" not in network_options(name):
        got = name if isinstance(name, str) else type(name).__name__
        raise ConfigError("--freeze with a network that has an option frozen, such as lrcn", got)
    return options | {"frozen": True}


@torch.no_grad()
def feature_clips(
    network: nn.Module, clips: Clips, show: Show = lambda *_: None
) -> tuple[AnyRecurrence, Clips]:
    """Compute the features of every frame once.

    Args:
        network: its first part is frozen.
        clips: the samples.
        show: is told how far it is.

    Returns:
        The part that learns, and the samples as features ``[T, D]`` for it.
    """
    front = cast(FrozenFront, network)
    kept: list[Tensor] = []
    with evaluating(network):
        for number in range(len(clips.data.samples)):
            show(number / len(clips.data.samples), "features")
            frames = clips.whole(number).split(_FRAMES_AT_A_TIME)
            kept.append(torch.cat([front.features(part[None])[0] for part in frames]))
    width = kept[0].shape[1]
    data = replace(clips.data, read=kept.__getitem__, kept_for=None)
    plain = VectorPreprocessing((0.0,) * width, (1.0,) * width)
    return front.head, Clips(data, plain, clips.clip_frames)


def _tensors(path: Path, network: nn.Module) -> dict[str, Tensor]:
    if path.is_dir():
        task = task_of_model(path)
        tensors = read_model(path, task=task)[1]
        if task != "captioning":
            return tensors
        # Of a captioner, what looks at pictures: its words are another's.
        found = {k: tensor for k, tensor in tensors.items() if k.startswith(_ENCODER)}
        return {name.removeprefix(_ENCODER): tensor for name, tensor in found.items()}
    if not path.exists():
        raise ReaderError(f"weights at {path}", "nothing there", how_to_get_weights(path))
    most = 4 * sum(
        tensor.numel() * tensor.element_size() for tensor in network.state_dict().values()
    )
    return read_weights(path, most_bytes=most)


def _fitting(part: nn.Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        key: tensors[key]
        for key, value in part.state_dict().items()
        if key in tensors and tensors[key].shape == value.shape
    }
