"""A network over pictures by its name, for networks that are built on one."""

import copy
from typing import Any, TypeAlias

from torch import nn

from unrolled.encoders.picture import PictureNetwork
from unrolled.errors import ConfigError
from unrolled.registry import build, lookup

#: the name of a network over pictures in the registry, or one
Backbone: TypeAlias = str | PictureNetwork


def backbone_of(
    backbone: Backbone,
    *,
    class_count: int | None,
    width: int | None,
    input_channels: int,
) -> PictureNetwork:
    """Return the network over pictures that ``backbone`` names, or is.

    Args:
        backbone: a name in the registry, or a network.
        class_count: classes; None where its head is not used.
        width: of the named network; None leaves its own.
        input_channels: C.
    Raises:
        ConfigError: a name that is not a network's over pictures, or a network of another width,
            number of classes or of channels.
    Example:
        >>> backbone_of("resnet18", class_count=5, width=4, input_channels=3).feature_size
        32
    """
    wanted = {"class_count": class_count, "input_channels": input_channels, "width": width}
    if isinstance(backbone, PictureNetwork):
        return _fitting(backbone, wanted)
    if not issubclass(lookup(backbone), PictureNetwork):
        cure = "such as plain_cnn, resnet18 or vgg16"
        raise ConfigError("the name of a network over pictures", repr(backbone), cure)
    # Channels are named only where they are unusual: a user's network may have no such option.
    given = {key: value for key, value in wanted.items() if value is not None}
    if input_channels == 3:
        del given["input_channels"]
    network = build(backbone, **given)
    assert isinstance(network, PictureNetwork)
    return network


def without_head(network: PictureNetwork) -> PictureNetwork:
    """Return a copy of a network that has its features only, and no parameters for classes."""
    copied = copy.deepcopy(network)
    for name in network.head_parts:
        setattr(copied, name, nn.Identity())
    return copied


def _fitting(network: PictureNetwork, wanted: dict[str, Any]) -> PictureNetwork:
    if wanted.pop("width") is not None:
        raise ConfigError("a width for a named backbone alone", "a network and a width")
    for key, value in wanted.items():
        if value is not None and getattr(network, key) != value:
            expected = f"a {type(network).__name__} with {key}={value}"
            raise ConfigError(expected, f"{key}={getattr(network, key)}", "build it so")
    return network
