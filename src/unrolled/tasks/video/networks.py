"""From a name and options to a network that labels clips, and to the recurrence that drives it."""

import copy
import inspect
from collections.abc import Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError, UnrolledError
from unrolled.layers import PerClip, PerFrame
from unrolled.recurrence import Recurrence
from unrolled.registry import lookup
from unrolled.state import device_of
from unrolled.tasks.model_folder import require_fitting_sizes
from unrolled.tasks.network_options import (
    build_with,
    module_needed,
    options_of,
    plain_options,
    unlike,
)
from unrolled.training.modes import evaluating

AnyRecurrence: TypeAlias = Recurrence[Any, Any, Any, Any]
Network: TypeAlias = nn.Module
DEFAULT_MODEL = "causal_small"  # labels every frame of a live stream as it comes


def build_video_network(
    name: str | Network, class_count: int, options: dict[str, Any], clip: Sequence[int]
) -> Network:
    """Build the network that ``name`` stands for.

    A network that takes ``class_count`` is built as it is; the name of a cell over vectors is
    stacked into a ``RecurrentClassifier``. How many frames and channels a network takes, where it
    asks, is what the data has.

    Args:
        name: of the network or cell in the registry, or a module, which is returned.
        class_count: classes.
        options: of the network, where it has a name.
        clip: the shape of a clip, [T, C, H, W] or [T, D].
    Raises:
        ConfigError: an unknown name, an option that the network has not, or a network that is not
            for labels.
    """
    if isinstance(name, nn.Module):
        return name
    cls, given = _network(name)
    given = {"class_count": class_count, **given}
    parameters = inspect.signature(cls).parameters
    of_the_data = {"input_size": clip[1], "input_channels": clip[1], "clip_frames": clip[0]}
    given |= {key: size for key, size in of_the_data.items() if key in parameters}
    return build_with(cls, name, given, options, network_options(name))


def restore_video_network(
    model: dict[str, Any],
    class_count: int,
    clip: Sequence[int],
    tensors: dict[str, Tensor],
    network: Network | None = None,
) -> Network:
    """Return the network that ``describe`` told of, with its tensors, in eval().

    Raises:
        ConfigError: the model was made from a module and none is given, or one that does not fit.
        ReaderError: a size that the tensors do not bear out.
    """
    if network is None:
        name = model["name"]
        if name is None:
            raise module_needed("model", str(model["class"]), "unrolled.load(FOLDER, model=MODULE)")
        require_fitting_sizes(unlike(network_options(name), model["options"]), tensors)
        network = build_video_network(name, class_count, model["options"], clip)
    network.load_state_dict(tensors)
    return network.eval()


def describe(name: str | Network, options: dict[str, Any]) -> dict[str, Any]:
    """Return what a configuration can say of a network: its name and options, or its class."""
    if isinstance(name, nn.Module):
        return {"name": None, "class": type(name).__name__, "options": {}}
    return {"name": name, "options": options}


def as_recurrence(network: Network, clip: Sequence[int], class_count: int) -> AnyRecurrence:
    """Return the recurrence that drives a network: itself, one per frame, or one per clip.

    Args:
        network: a ``Recurrence``, or a module over pictures or clips.
        clip: the shape of a clip, [T, C, H, W] or [T, D].
        class_count: classes that it must score.
    Raises:
        ConfigError: it does not take such clips, or does not score the classes.
    """
    name = type(network).__name__
    expected = f"a network that scores {class_count} classes of clips {list(clip)}"
    try:
        y = _tried(network, clip)
    except (UnrolledError, RuntimeError, IndexError, TypeError, NotImplementedError) as error:
        raise ConfigError(expected, f"{name}: {' '.join(str(error).split())}") from None
    shape = tuple(y.shape) if isinstance(y, Tensor) else ()
    if shape[-1:] != (class_count,) or len(shape) not in (2, 3):
        raise ConfigError(expected, f"{name}, which gives {list(shape) or type(y).__name__}")
    if isinstance(network, Recurrence):
        return network
    if shape[:2] == (1, clip[0]) and len(shape) == 3:
        return PerFrame(network)
    return PerClip(network, clip[0])


def _tried(network: Network, clip: Sequence[int]) -> Any:
    """Return what a network gives for a clip: a recurrence for one step, others on paper alone."""
    if isinstance(network, Recurrence):
        with evaluating(network), torch.no_grad():
            x = torch.zeros(1, network.stride, *clip[1:], device=device_of(network))
            return network(x)[0]
    ghost = copy.deepcopy(network).to("meta").eval()
    with torch.no_grad():
        return ghost(torch.empty(1, *clip, device="meta"))


def streams(driven: AnyRecurrence) -> bool:
    """Tell whether a network gives a label for every frame as it comes."""
    return not isinstance(driven, PerClip)


def network_options(name: str) -> dict[str, Any]:
    """Return the options of a network with their defaults; those the data decides are left out."""
    cls, given = _network(name)
    decided = {"class_count", "input_size", "input_channels", "clip_frames", *given}
    return options_of(cls, decided)


def resolved_options(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options with those left out, as far as a file can hold their values."""
    return plain_options(network_options(name)) | options


def _network(name: str) -> tuple[type[Network], dict[str, Any]]:
    if not isinstance(name, str):
        raise ConfigError("the name of a network", repr(name))
    cls = lookup(name)
    parameters = inspect.signature(cls).parameters
    if "class_count" in parameters:
        return cls, {}
    if {"input_size", "hidden_size"} <= set(parameters) and "kernel_size" not in parameters:
        return lookup("recurrent_classifier"), {"cell": name}
    cure = "`unrolled list` names those that do"
    raise ConfigError("a network that labels clips, or a cell", repr(name), cure)
