"""From a name and options to a network that reads tokens and gives scores."""

import inspect
from collections.abc import Callable
from typing import Any

from unrolled.errors import ConfigError
from unrolled.models import RecurrentLanguageModel
from unrolled.recurrence import Recurrence
from unrolled.registry import lookup


def build_language_network(
    name: str, vocabulary_size: int, options: dict[str, Any]
) -> Recurrence[Any, Any, Any, Any]:
    """Build the network that ``name`` stands for, over ``vocabulary_size`` tokens.

    A name of a network that takes ``vocabulary_size`` is built as it is; the name of a cell, or of
    one of your own, is stacked into a ``RecurrentLanguageModel``.

    Raises:
        ConfigError: an unknown name, or an option that the network has not.
    """
    cls, given = _network(name)
    allowed = network_options(name)
    for option in options:
        if option not in allowed:
            raise ConfigError(
                f"an option of {name}: {', '.join(allowed)}", repr(option), "see --help"
            )
    build: Callable[..., Recurrence[Any, Any, Any, Any]] = cls
    try:
        return build(vocabulary_size, **given, **options)
    except (TypeError, ValueError, RuntimeError) as error:
        got = f"{options}: {' '.join(str(error).split())}"
        raise ConfigError(f"options that {name} can be built with", got) from None


def network_options(name: str) -> dict[str, Any]:
    """Return the options of a network with their defaults."""
    cls, given = _network(name)
    parameters = list(inspect.signature(cls).parameters.values())[1:]
    return {p.name: p.default for p in parameters if p.name not in given}


def _network(name: str) -> tuple[type[Recurrence[Any, Any, Any, Any]], dict[str, Any]]:
    if not isinstance(name, str):
        raise ConfigError("the name of a network", repr(name))
    cls = lookup(_NETWORKS.get(name, name))
    if next(iter(inspect.signature(cls).parameters), "") == "vocabulary_size":
        return cls, {}
    return RecurrentLanguageModel, {"cell": name}


_NETWORKS = {"tcn": "tcn_language_model", "transformer": "transformer_language_model"}
