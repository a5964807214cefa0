"""What the captioning task can be told of its data; read without importing torch."""

from dataclasses import dataclass
from typing import Literal

from unrolled.errors import ConfigError
from unrolled.tasks.video.options import shares

_LEAST = {"height": 16, "width": 16, "frames": 2, "min_count": 1, "max_words": 2, "scenes": 10}


@dataclass(frozen=True)
class CaptioningOptions:
    """The data and how it is read.

    Args:
        images: the folder that the names of pictures begin from; left out, the folders that the
            data sets come with are tried, beside the file of captions.
        height: rows that the network sees.
        width: columns that the network sees.
        resize: stretch pictures to that size, or bring them to it by their shorter side and cut
            the rest.
        frames: of a film, evenly spread from its beginning to its end.
        min_count: words that are rarer in what is learnt become <unk>.
        max_words: longer captions are cut there when they are learnt from.
        split: percentages of the pictures for train, valid and test; the same picture is never in
            two of them; data that comes with a split keeps its own.
        scenes: how many scenes, or films, the embedded world makes, for data world.
        encoding: of the file of captions.
        strict: refuse data of which anything is damaged or missing.
    """

    images: str | None = None
    height: int = 64
    width: int = 64
    resize: Literal["stretch", "shorter_side"] = "stretch"
    frames: int = 8
    min_count: int = 1
    max_words: int = 20
    split: str = "80/10/10"
    scenes: int = 4000
    encoding: str = "utf-8"
    strict: bool = False

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name} of at least {least}", str(getattr(self, name)))
        shares(self.split)
        try:
            b"    ".decode(self.encoding, "replace")  # of nothing, any name would do
        except LookupError:
            raise ConfigError("the name of an encoding", repr(self.encoding), "try utf-8") from None
