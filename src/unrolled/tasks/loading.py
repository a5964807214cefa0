"""What batches of every task need: one seed of several numbers, and a clock for the loader."""

from dataclasses import dataclass


@dataclass
class LoaderClock:
    """How long training waited for its data.

    Args:
        seconds: spent on reading, resizing, cutting and scaling.
    """

    seconds: float = 0.0


def mixed_seed(*numbers: int) -> int:
    """Return one seed of several numbers.

    Example:
        >>> mixed_seed(0, 1, 2) == mixed_seed(0, 1, 2), mixed_seed(0, 1, 2) == mixed_seed(0, 2, 1)
        (True, False)
    """
    return hash(numbers) & (2**63 - 1)  # of integers: the same in every process
