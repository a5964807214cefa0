"""How large a captioner must be to have as many parameters as another."""

from typing import Any

import torch

from unrolled.errors import ConfigError
from unrolled.models.captioner import Captioner
from unrolled.registry import build, lookup

_LARGEST = 1 << 16


def hidden_size_for(
    name: str,
    parameters: int,
    *,
    vocabulary_size: int,
    feature_size: int,
    options: dict[str, Any] | None = None,
) -> int:
    """Return the hidden size that brings a captioner nearest to so many parameters.

    Args:
        name: of the captioner in the registry.
        parameters: how many it should have.
        vocabulary_size: V.
        feature_size: C.
        options: its other options, such as ``embedding_size``.
    Raises:
        ConfigError: no captioner has this name, or even the smallest one has more parameters.
    Example:
        >>> hidden_size_for("show_and_tell", 100_000, vocabulary_size=50, feature_size=64,
        ...                 options={"embedding_size": 32})
        134
    """
    if not issubclass(lookup(name), Captioner):
        raise ConfigError("the name of a captioner, such as show_and_tell", repr(name))

    def count(hidden_size: int) -> int:
        sizes = {"vocabulary_size": vocabulary_size, "feature_size": feature_size}
        with torch.device("meta"):
            model = build(name, **sizes, **(options or {}), hidden_size=hidden_size)
        return sum(parameter.numel() for parameter in model.parameters())

    low, high = 1, _LARGEST
    if not count(low) <= parameters <= count(high):
        expected = f"from {count(low):,} to {count(high):,} parameters for {name}"
        raise ConfigError(expected, f"{parameters:,}", "make its other sizes smaller or larger")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) <= parameters else (low, middle)
    return min((low, high), key=lambda size: abs(count(size) - parameters))
