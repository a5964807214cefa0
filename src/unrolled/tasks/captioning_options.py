"""STUB."""
from dataclasses import dataclass
@dataclass(frozen=True)
class CaptioningOptions:
    """How the data is read.

    Args:
        images: folder of the pictures.
        height: rows.
        width: columns.
        frames: of a film.
        min_count: least.
        max_words: longest.
        split: shares.
        scenes: of the world.
    """
    images: str | None = None
    height: int = 64
    width: int = 64
    frames: int = 8
    min_count: int = 1
    max_words: int = 20
    split: str = "80/10/10"
    scenes: int = 4000
