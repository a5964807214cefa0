"""Weights that another project published, made a model folder: safe, checked, ready to use."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.diagnostics import count_parameters
from unrolled.encoders import ClipNetwork, PictureNetwork, inflate
from unrolled.encoders.weight_layouts import count_classes, to_state_dict
from unrolled.errors import ConfigError, NumericsError, ReaderError
from unrolled.readers.class_names import published_class_names, read_class_names
from unrolled.readers.known_weights import how_to_get_weights, known_weights
from unrolled.readers.weights import read_weights
from unrolled.registry import build, lookup
from unrolled.tasks.video.model import VideoModel
from unrolled.tasks.video.options import VideoOptions
from unrolled.tasks.video.preprocessing import IMAGENET_DEVIATION, IMAGENET_MEAN, Preprocessing

FEATURES_ONLY = "features alone, no classes"  # the one class of weights without a classifier


@dataclass(frozen=True)
class Converted:
    """What came of a file of weights.

    Args:
        folder: the model folder.
        network: its name in the registry.
        parameters: numbers that it learns.
        class_names: what its scores stand for.
        notes: what the caller should know, a sentence each.
    """

    folder: Path
    network: str
    parameters: int
    class_names: tuple[str, ...]
    notes: tuple[str, ...]


def convert(
    path: Path,
    name: str,
    folder: Path,
    *,
    class_names: Path | None = None,
    inflated: bool = False,
) -> Converted:
    """Write a model folder of a file of weights for a network over pictures or clips.

    Args:
        path: ``.pth``, ``.pt``, ``.safetensors``, ``.npz`` or ``.h5``.
        name: the network in the registry that the weights are of.
        folder: to write; it must not exist or be empty.
        class_names: a file of names, one a line; those of ImageNet and Kinetics-400 are known.
        inflated: grow the network over pictures in time, to one over clips that says of a clip
            which repeats one picture what it says of the picture.
    Raises:
        ConfigError: a network that is not over pictures or clips, or cannot be inflated, or a
            folder that is in use.
        ReaderError: a file that is missing, damaged, holds more than tensors, or is of another
            network; or names of another number of classes.
        NumericsError: a weight that is not a finite number.
    """
    cls = lookup(name)
    if not issubclass(cls, PictureNetwork | ClipNetwork):
        raise ConfigError("a network over pictures or clips, as `unrolled list` shows", repr(name))
    if inflated and not issubclass(cls, PictureNetwork):
        raise ConfigError("a network over pictures to inflate", repr(name))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            f"a folder {folder} that is new or empty", "one in use", "name another by --out"
        )
    if not path.exists():
        raise ReaderError(f"a file at {path}", "nothing there", how_to_get_weights(path, name))
    most = sum(tensor.numel() * 4 for tensor in _on_paper(name, {}).state_dict().values())
    tensors = read_weights(path, most_bytes=most)
    options = _options(name, tensors)
    one, two = (_on_paper(name, options | {"class_count": count}) for count in (1, 2))
    counted = count_classes(tensors, name, one, two)
    network = _on_paper(name, options | {"class_count": counted or 1})
    state = to_state_dict(tensors, name, network)
    _require_finite(state)
    names = _names(path, network, counted, class_names)
    network.load_state_dict(state, assign=True)
    notes = _notes(path, name, counted)
    described: dict[str, Any] = {"name": name, "options": options}
    if inflated:
        network, described = _inflated(network, described)
    model = VideoModel(
        network=network,
        class_names=names,
        preprocessing=(preprocessing := _preprocessing(name, tensors)),
        model=described,
        reading=_reading(preprocessing, network),
        parts={"train": [], "valid": [], "test": []},
    )
    model.save(folder, _figures(path))
    parameters = count_parameters(network)
    return Converted(folder, described["name"], parameters, names, notes)


def _inflated(network: nn.Module, described: dict[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    """Return a network over pictures as one over clips, and what a model file says of it."""
    assert isinstance(network, PictureNetwork)
    options: dict[str, Any] = {"network": described["name"]}
    if described["options"]:
        options["network_options"] = described["options"]
    return inflate(network), {"name": "inflated", "options": options}


def _on_paper(name: str, options: dict[str, Any]) -> nn.Module:
    with torch.device("meta"):
        return build(name, **options).eval()


def _options(name: str, tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Return the options that a layout asks for: TensorFlow pads in its own way."""
    return {"edges": "same"} if name == "mobilenet_v2" and "52.weight" in tensors else {}


def _names(
    path: Path, network: nn.Module, counted: int | None, given: Path | None
) -> tuple[str, ...]:
    if counted is None:
        if given is not None:
            raise ReaderError(f"classes in {path}", "features alone", "leave --classes out")
        return (FEATURES_ONLY,)
    if given is not None:
        names = read_class_names(given)
        if len(names) == counted - 1:
            names = ("background", *names)
        if len(names) != counted:
            raise ReaderError(f"{counted:,} names in {given}", f"{len(names):,}")
        return names
    known = known_weights(path)
    usual = "Kinetics-400" if isinstance(network, ClipNetwork) else "ImageNet"
    found = published_class_names(known.learnt_from if known else usual, counted)
    if found is None:
        cure = "name a file with one name a line by --classes"
        raise ReaderError(f"names for the {counted:,} classes of {path}", "none", cure)
    return found


def _preprocessing(name: str, tensors: dict[str, Tensor]) -> Preprocessing:
    """Return what the authors did to pictures and clips before their network saw them."""
    if "52.weight" in tensors:
        half = (0.5, 0.5, 0.5)
        return Preprocessing(224, 224, resize="stretch", mean=half, deviation=half)
    if "conv1/conv1_b" in tensors:
        mean, one = (103.939 / 255, 116.779 / 255, 123.68 / 255), 1 / 255
        settled = Preprocessing(224, 224, resize="stretch", mean=mean, deviation=(one,) * 3)
        return replace(settled, channels="bgr")
    if issubclass(lookup(name), ClipNetwork):
        size, side = (224, 256) if name in ("s3d", "i3d") else (112, 128)
        return Preprocessing(
            size,
            size,
            15.0,
            shorter_side=side,
            mean=(0.43216, 0.394666, 0.37645),
            deviation=(0.22803, 0.22145, 0.216989),
        )
    return Preprocessing(
        224,
        224,
        shorter_side=256,
        mean=IMAGENET_MEAN,
        deviation=IMAGENET_DEVIATION,
    )


def _reading(preprocessing: Preprocessing, network: nn.Module) -> VideoOptions:
    """Return how clips are taken for the network: none is known that pictures are."""
    return VideoOptions(
        clip_frames=1 if isinstance(network, PictureNetwork) else 16,
        frames_per_second=preprocessing.frames_per_second,
        height=preprocessing.height,
        width=preprocessing.width,
        resize="stretch" if preprocessing.resize == "stretch" else "shorter_side",
    ).still


def _require_finite(state: dict[str, Tensor]) -> None:
    for key, tensor in state.items():
        if not bool(torch.isfinite(tensor).all()):
            raise NumericsError(f"finite weights in {key}", "NaN or infinity")


def _notes(path: Path, name: str, counted: int | None) -> tuple[str, ...]:
    notes = []
    known = known_weights(path)
    if known is not None and known.sha256:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if not found.startswith(known.sha256):
            notes.append(
                f"{path.name} should have a SHA-256 that begins with {known.sha256}, and has "
                f"{found[:16]}: it is not the published file"
            )
    if counted is None:
        notes.append(
            "the file has features and no classes: learn some with `unrolled train video "
            f"--model {name} --weights` and this folder"
        )
    return tuple(notes)


def _figures(path: Path) -> dict[str, Any]:
    known = known_weights(path)
    figures = {
        "converted from": path.name,
        "SHA-256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    if known is not None:
        figures |= {"learnt from": known.learnt_from, "licence": known.licence}
    return figures
