"""Weights and inputs by formula, so that figures of another library can be written down."""

import hashlib
import math
from collections.abc import Mapping

import torch
from torch import Tensor

_PERIOD = 9973


def pattern(number: int, *shape: int) -> Tensor:
    """Return a wave of sizes about 1 that no other number has; it comes again after 9973 values."""
    steps = torch.arange(_PERIOD, dtype=torch.float64)
    wave = torch.sin(steps * (1 + number / 97) * 0.37 + number).float()
    size = math.prod(shape)
    return wave.repeat(-(-size // _PERIOD))[:size].reshape(shape)


@torch.no_grad()
def fill(state: Mapping[str, Tensor]) -> None:
    """Overwrite every tensor of a ``state_dict``: weights of unit gain, statistics, biases."""
    for number, (name, tensor) in enumerate(state.items()):
        if not tensor.is_floating_point():
            continue
        waves = pattern(number, *tensor.shape)
        if tensor.ndim > 1:
            waves *= 2 / math.sqrt(tensor[0].numel())
        elif name.endswith(("running_var", "weight")):
            waves = 1 + waves / 2
        else:
            waves /= 5
        tensor.copy_(waves)


def fingerprint(state: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of the names and shapes of a ``state_dict``, one a line, in order."""
    lines = [f"{name} {'x'.join(map(str, tensor.shape))}" for name, tensor in state.items()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
