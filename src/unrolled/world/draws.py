"""Random numbers that are the same on every machine, for every version of numpy."""

from math import prod
from typing import Any

import numpy as np
from jaxtyping import Float64


class Draws:
    """Uniform numbers made from the bits of PCG64, whose stream numpy promises to keep.

    (It makes no such promise for what a ``Generator`` turns those bits into.)

    Args:
        seed: any whole number from 0 on.

    Example:
        >>> Draws(1).uniform(0.0, 1.0, 3).round(3)
        array([0.512, 0.95 , 0.144])
    """

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def uniform(self, low: Any, high: Any, *shape: int) -> Float64[np.ndarray, "..."]:
        """Return numbers from ``low`` up to ``high``, each a number or an array to broadcast."""
        raw = self._bits.random_raw(prod(shape)).reshape(shape)
        unit = (raw >> np.uint64(11)) * 2.0**-53
        return np.asarray(low + (np.subtract(high, low)) * unit)

    def below(self, limit: int, *shape: int) -> Any:
        """Return whole numbers from 0 up to ``limit``, without it."""
        return self.uniform(0.0, float(limit), *shape).astype(np.int64)
