"""The options of a network that has a name: which there are, whether those given fit, building."""

import inspect
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any, TypeVar

from torch import nn

from unrolled.errors import ConfigError
from unrolled.training.budget import require_affordable
from unrolled.training.configuration import require_kind

NetworkT = TypeVar("NetworkT", bound=nn.Module)


def options_of(cls: type, decided: Collection[str]) -> dict[str, Any]:
    """Return the options of a class with their defaults, None where there is none.

    Args:
        cls: of a network.
        decided: names of those that somebody else decides, such as the data.
    Example:
        >>> options_of(type("Net", (), {"__init__": lambda self, size, width=3: None}), ["size"])
        {'width': 3}
    """
    return {
        p.name: None if p.default is p.empty else p.default
        for p in inspect.signature(cls).parameters.values()
        if p.name not in decided
    }


def plain_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options whose values a file can hold."""
    plain = (bool, int, float, str)
    return {key: value for key, value in options.items() if isinstance(value, plain)}


def unlike(usual: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options that are not what they usually are.

    Example:
        >>> unlike({"width": 3, "depth": 4}, {"width": 3, "depth": 5})
        {'depth': 5}
    """
    return {key: value for key, value in options.items() if key not in usual or usual[key] != value}


def module_needed(what: str, cls: str, cure: str) -> ConfigError:
    """Return the error for what was made from a module that no name stands for."""
    short = cls if len(cls) <= 60 else f"{cls[:57]}..."
    return ConfigError(f"the {short} that this {what} was made from", "no module", f"call {cure}")


def build_with(
    cls: Callable[..., NetworkT],
    name: str,
    given: Mapping[str, Any],
    options: Mapping[str, Any],
    allowed: Collection[str],
    *,
    see: str = "see `unrolled inspect`",
) -> NetworkT:
    """Return a network that is built with what is given and with the caller's options.

    Args:
        cls: of the network.
        name: that the caller knows it by.
        given: what the caller does not choose.
        options: what the caller chose.
        allowed: names of what can be chosen.
        see: where the options are explained.
    Raises:
        ConfigError: an option that there is not, of the wrong type, or of a value that the class
            refuses; or a network that this machine has no memory for.
    """
    kinds = _annotations(cls)
    for option, value in options.items():
        if option not in allowed:
            near = get_close_matches(option, allowed, n=1)
            cure = f"did you mean {near[0]}?" if near else see
            raise ConfigError(f"an option of {name}: {', '.join(allowed)}", repr(option), cure)
        require_kind(f"{option} of {name}", value, kinds.get(option, object))
    build = partial(cls, **{**given, **options})
    require_affordable(build)
    try:
        return build()
    except (TypeError, ValueError, RuntimeError) as error:
        got = f"{dict(options)}: {' '.join(str(error).split())}"
        raise ConfigError(f"options that {name} can be built with", got) from None


def _annotations(cls: Callable[..., Any]) -> dict[str, Any]:
    try:
        parameters = inspect.signature(cls, eval_str=True).parameters.values()
        return {p.name: p.annotation for p in parameters if p.annotation is not p.empty}
    except NameError:  # a class of your own may name types that only its checker imports
        return {}
