"""``unrolled train captioning``."""

from typing import Annotated

from cyclopts import Parameter

from unrolled.cli.learning import RunFlags, learn
from unrolled.tasks.captioning.learning_options import (
    CaptioningTrainingOptions,
    DescribingOptions,
)
from unrolled.tasks.captioning.options import CaptioningOptions


def captioning(
    *,
    data: str,
    model: str = "show_attend_tell",
    run: Annotated[RunFlags, Parameter(name="*")] = RunFlags(),  # noqa: B008
    reading: Annotated[CaptioningOptions, Parameter(name="*")] = CaptioningOptions(),  # noqa: B008
    describing: Annotated[DescribingOptions, Parameter(name="*")] = DescribingOptions(),  # noqa: B008
    training: Annotated[
        CaptioningTrainingOptions, Parameter(name="*")
    ] = CaptioningTrainingOptions(),  # noqa: B008
) -> int:
    """Learn to say in a sentence what a picture shows, or what happens in a film.

    Example: unrolled train captioning --data world --max-minutes 3

    Example: unrolled train captioning --data captions.json --images photos --encoder resnet18

    Args:
        data: a file of captions in the form of COCO, of Karpathy's splits, of Flickr's token.txt
            or a CSV of image,caption; or world, which is the embedded data; --config may say it
            instead.
        model: show_attend_tell, which looks somewhere else for every word, show_and_tell, or
            another that `unrolled list` shows; one that takes films learns from films.
        run: where it goes.
        reading: of pictures and captions.
        describing: what looks, and how captions are searched for.
        training: of the model.
    """
    sections = {"reading": reading, "describing": describing, "training": training}
    return learn("captioning", data, model, run, sections)
