"""The table of widths that the Inception networks of this floor share."""

from typing import NamedTuple


class Widths(NamedTuple):
    """Output channels of the convolutions in one Inception module."""

    point: int  # the 1x1 branch
    reduce_3: int  # the 1x1 before the first 3x3
    three: int
    reduce_5: int  # the 1x1 before the second 3x3, which is 5x5 in GoogLeNet
    five: int
    pooled: int  # the 1x1 behind the pooling

    @property
    def total(self) -> int:
        """Return the channels that the module gives."""
        return self.point + self.three + self.five + self.pooled


# Szegedy et al. 2015, arXiv:1409.4842, Table 1, under the names of Carreira & Zisserman's layers.
_WIDTHS = {
    "3b": Widths(64, 96, 128, 16, 32, 32),
    "3c": Widths(128, 128, 192, 32, 96, 64),
    "4b": Widths(192, 96, 208, 16, 48, 64),
    "4c": Widths(160, 112, 224, 24, 64, 64),
    "4d": Widths(128, 128, 256, 24, 64, 64),
    "4e": Widths(112, 144, 288, 32, 64, 64),
    "4f": Widths(256, 160, 320, 32, 128, 128),
    "5b": Widths(256, 160, 320, 32, 128, 128),
    "5c": Widths(384, 192, 384, 48, 128, 128),
}


def scaled(width: int) -> dict[str, Widths]:
    """Return the table for a first convolution of ``width`` channels rather than 64."""
    return {
        name: Widths(*(max(1, size * width // 64) for size in sizes))
        for name, sizes in _WIDTHS.items()
    }
