"""What a look at captioned data can be told; read without importing torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from unrolled.errors import ConfigError


@dataclass(frozen=True)
class CaptionCheckOptions:
    """How captioned pictures are found, and what a model will be shown of them.

    Args:
        images: the folder that the names of pictures or films begin from; left out, the folders
            that the data sets come with are tried.
        films: captions are about films, and not about pictures.
        height: rows that a model sees.
        width: columns that a model sees.
        resize: stretch pictures to that size, or bring them to it by their shorter side.
        scenes: how many of the embedded world, for data world.
        sheet: write a PNG of the first pictures as a model sees them, with captions and boxes.
    """

    images: str | None = None
    films: bool = False
    height: int = 64
    width: int = 64
    resize: Literal["stretch", "shorter_side"] = "stretch"
    scenes: int = 4000
    sheet: Path | None = None

    def __post_init__(self) -> None:
        for name in ("height", "width", "scenes"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} of at least 1", str(getattr(self, name)))
