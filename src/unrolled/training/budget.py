"""A network that cannot be trained on this machine is refused before its memory is asked for."""

import os
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from unrolled.errors import ConfigError

_MOST_TENSORS = 2_000
_COPIES = 4  # weights, gradients and an optimizer's two moments


class _TooLargeError(Exception):
    """The network has passed a limit while it was being built."""


def require_affordable(build: Callable[[], nn.Module]) -> None:
    """Build a network without memory, and raise ``ConfigError`` if it could not be trained here.

    A size with a digit too many, of one's own or in a stranger's configuration, should be a line
    of words, not a machine that swaps. Random generators are left as they were.

    Args:
        build: makes the network; what else may be wrong with that is for who builds it in earnest.
    Example:
        >>> require_affordable(lambda: nn.Linear(10**9, 10**9))
        Traceback (most recent call last):
        ...
        unrolled.errors.ConfigError: expected a network that can be trained in this machine's \
memory, got one that is larger; choose smaller sizes or fewer layers
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    num_bytes = num_tensors = 0

    def count(_: nn.Module, __: str, parameter: nn.Parameter | None) -> None:
        nonlocal num_bytes, num_tensors
        if parameter is not None:
            num_bytes += parameter.numel() * parameter.element_size()
            num_tensors += 1
        if _COPIES * num_bytes > memory or num_tensors > _MOST_TENSORS:
            raise _TooLargeError

    hook = register_module_parameter_registration_hook(count)
    try:
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            build()
    except _TooLargeError:
        raise ConfigError(
            "a network that can be trained in this machine's memory",
            "one that is larger",
            "choose smaller sizes or fewer layers",
        ) from None
    except Exception:
        pass  # what is wrong otherwise is told when the network is built in earnest
    finally:
        hook.remove()
