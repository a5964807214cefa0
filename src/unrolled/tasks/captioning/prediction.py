"""What a captioning model says of pictures and films that nobody has described."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import UnrolledError
from unrolled.readers.caption_sets import CaptionedFile
from unrolled.tasks.captioning.data import WORLD_SEED
from unrolled.tasks.captioning.files import Reading
from unrolled.tasks.captioning.model import Caption, CaptioningModel
from unrolled.training.modes import evaluating
from unrolled.world import SceneWorld

_SCENE = "world:"  # before the number of a scene, or a film, of the embedded world


@dataclass(frozen=True)
class CaptioningPrediction:
    """What is said of one file.

    Args:
        source: the file.
        captions: the best ones, likeliest first; none where it cannot be read.
        pixels: what the model saw: uint8 ``[3, H, W]``, or ``[T, 3, H, W]`` of a film.
        fault: why it cannot be read, or "".
    """

    source: str
    captions: list[Caption]
    pixels: Tensor | None = None
    fault: str = ""

    def figures(self) -> dict[str, Any]:
        """Return the figures for a report."""
        captions = [caption.figures() for caption in self.captions]
        return {"source": self.source, "captions": captions, "fault": self.fault}


def predict(
    model: CaptioningModel, sources: Sequence[str | Path], *, beam: int | None = None
) -> list[CaptioningPrediction]:
    """Describe pictures, or films; what cannot be read is told, not raised.

    Args:
        model: a trained model.
        sources: files; "world:7" is scene 7 of the embedded world.
        beam: hypotheses that a search keeps, and captions returned; None for the model's own.
    """
    return [_predicted(model, str(source), beam) for source in sources]


def _predicted(model: CaptioningModel, source: str, beam: int | None) -> CaptioningPrediction:
    try:
        pixels = _read(model, source)
    except UnrolledError as error:
        return CaptioningPrediction(source, [], fault=str(error))
    with evaluating(model.network):
        captions = model.describe_batch(pixels[None], beam)[0]
    return CaptioningPrediction(source, captions, pixels)


def _read(model: CaptioningModel, source: str) -> Tensor:
    """Return a picture ``[3, H, W]``, or the frames of a film ``[T, 3, H, W]``, as it sees them."""
    number = source.removeprefix(_SCENE)
    if source.startswith(_SCENE) and number.isdecimal():
        return _scene(model, int(number))
    file = CaptionedFile(Path(source), source, (), None, None)
    return Reading(model.reading, model.films).read(file).pixels


def _scene(model: CaptioningModel, number: int) -> Tensor:
    size = model.preprocessing
    world = SceneWorld(WORLD_SEED, size.height, size.width, model.reading.frames)
    shown = world.film(number).frames if model.films else world.scene(number).pixels
    return torch.from_numpy(shown.copy())
