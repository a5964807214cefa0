"""A video model as live sources need it."""

from dataclasses import dataclass
from pathlib import Path

from unrolled.streaming import Labeller


@dataclass(frozen=True)
class LiveModel:
    """What labels the frames of a stream.

    Args:
        labeller: frames in, probabilities out.
        class_names: in the order of the probabilities.
        frames_per_second: that it was trained on; None takes frames as they are.
        background: the class that is no event, if there is one.
    """

    labeller: Labeller
    class_names: tuple[str, ...]
    frames_per_second: float | None
    background: str | None

    @classmethod
    def load(cls, folder: Path) -> "LiveModel":
        """Read a model folder.

        Raises:
            ReaderError: no model there, a damaged one, or one of another task.
        """
        raise NotImplementedError(folder)
