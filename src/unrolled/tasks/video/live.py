"""A video model as live sources need it."""

from dataclasses import dataclass
from pathlib import Path

from unrolled.errors import ReaderError
from unrolled.streaming import Labeller
from unrolled.tasks.video.joined import BACKGROUND
from unrolled.tasks.video.model import VideoModel
from unrolled.tasks.video.preprocessing import Preprocessing
from unrolled.training.device import use_device


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
    def load(cls, folder: Path, device: str = "cpu") -> "LiveModel":
        """Read a model folder.

        Args:
            folder: of a model or a run.
            device: that the network is to compute on.
        Raises:
            ConfigError: no such device.
            ReaderError: no model there, a damaged one, or one of another task.
        """
        place = use_device(device)
        model = VideoModel.load(folder)
        preprocessing = model.preprocessing
        if not isinstance(preprocessing, Preprocessing):
            raise ReaderError(f"a model of videos in {folder}", "one of vectors", "use predict")
        model.network.to(place)
        network = model.driven if model.streams else model.network
        return cls(
            Labeller(network, preprocessing, clip_frames=model.clip_frames),
            model.class_names,
            preprocessing.frames_per_second,
            BACKGROUND if BACKGROUND in model.class_names else None,
        )
