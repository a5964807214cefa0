"""Starting from weights that were learnt before, and features computed once where they stay."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from unrolled.encoders import PictureNetwork
from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.known_weights import how_to_get_weights, known_weights
from unrolled.readers.tensor_cache import Kept, TensorCache, fingerprint_of
from unrolled.readers.weights import read_weights
from unrolled.state import device_of
from unrolled.tasks.learning import Show
from unrolled.tasks.model_folder import read_model, task_of_model
from unrolled.tasks.video.clips import Clips
from unrolled.tasks.video.networks import AnyRecurrence, network_options
from unrolled.tasks.video.preprocessing import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    AnyPreprocessing,
    Preprocessing,
    VectorPreprocessing,
)
from unrolled.training.modes import evaluating

_FRAMES_AT_A_TIME = 64
_LEARNT_WITH = ("edges",)  # options that change what a network says, and no shape of a weight
_ENCODER = "encoder."  # begins the names of a captioner's tensors that are its encoder's


class FrozenFront(Protocol):
    """A network in two parts, of which the first looks at every frame by itself and is frozen."""

    front: nn.Module  # what the features come from

    def head_for(self, frame: Sequence[int]) -> AnyRecurrence:
        """Return what learns, which takes the features of frames ``[C, H, W]``."""

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


def options_like(
    name: str | nn.Module, options: dict[str, Any], source: str | None
) -> dict[str, Any]:
    """Return the options with those that a model folder's weights were learnt with.

    Weights are good only where they are used as they were learnt: MobileNetV2 pads as torchvision
    does or as TensorFlow does, and nothing in the shapes tells.

    Args:
        name: of the network that is to begin from them.
        options: of it that were chosen; they come first.
        source: a model folder, or a file, which tells nothing.
    """
    if source is None or not isinstance(name, str) or not Path(source).is_dir():
        return options
    if task_of_model(Path(source)) != "video":
        return options
    learnt = read_model(Path(source), task="video")[0]["model"]
    known = network_options(name)
    if learnt["name"] == name:
        return {k: v for k, v in learnt["options"].items() if k in _LEARNT_WITH} | options
    inner = options.get("network", known.get("network"))
    if learnt["name"] == inner and learnt["options"] and "network_options" in known:
        return {"network_options": learnt["options"]} | options
    return options


def frozen_options(name: str | nn.Module, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options with which a network's first part is frozen.

    Raises:
        ConfigError: it has no such part.
    """
    if isinstance(name, nn.Module) and getattr(name, "frozen", False):
        return options
    if not isinstance(name, str) or "frozen" not in network_options(name):
        got = name if isinstance(name, str) else f"a {type(name).__name__} that is not frozen"
        raise ConfigError("--freeze with a network that has an option frozen: lrcn, gru_rcn", got)
    return options | {"frozen": True}


@torch.no_grad()
def feature_clips(
    network: nn.Module, clips: Clips, cache: TensorCache, show: Show = lambda *_: None
) -> tuple[AnyRecurrence, Clips]:
    """Compute the features of every frame once.

    Args:
        network: its first part is frozen.
        clips: the samples.
        cache: where features are kept.
        show: is told how far it is.

    Returns:
        The part that learns, and the samples as features ``[T, D]`` for it.
    """
    net, data, device = cast(FrozenFront, network), clips.data, device_of(network)
    settings = {
        "frames_per_second": data.frames_per_second,
        "how": data.how,
        "preprocessing": clips.preprocessing.figures(),
    }
    how = fingerprint_of(net.front.state_dict(), settings)

    def features(number: int) -> Tensor:
        key = f"{data.samples[number].digest} {how}"
        kept = cache.find(key)
        if kept is None:
            frames = clips.whole(number)[None].split(_FRAMES_AT_A_TIME, 1)
            with torch.no_grad(), evaluating(network):
                found = [net.features(part.to(device))[0].cpu() for part in frames]
            kept = Kept(torch.cat(found))
            cache.keep(key, kept)
        return kept.tensor

    width = 0
    for number in range(len(data.samples)):
        show(number / len(data.samples), "features")
        width = features(number).shape[1]
    plain = VectorPreprocessing((0.0,) * width, (1.0,) * width)
    seen = replace(data, read=features, kept_for=None)
    return net.head_for(clips.preprocessing.frame), Clips(seen, plain, clips.clip_frames)


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
