"""What a network that learns to describe is, and how it learns; read without importing torch."""

from typing import Any

from unrolled.tasks.captioning_learning_options import CaptioningTrainingOptions, DescribingOptions
from unrolled.tasks.captioning_options import CaptioningOptions

NETWORK = "show_attend_tell"
NETWORK_OPTIONS: dict[str, Any] = {
    "embedding_size": 48,
    "hidden_size": 128,
    "attention_size": 64,
    "doubly_stochastic": 0.0,  # most of a wall is bare: it need not be looked at
    "encoder.width": 16,
    "encoder.depth": 2,  # maps of 8 x 8 places
}
SIDE = 32  # pixels of a picture
READING = CaptioningOptions(height=SIDE, width=SIDE, scenes=2500, split="94/2/4")
DESCRIBING = DescribingOptions(captions_per_picture=2, beam=3)


def describer_training(minutes: float, seed: int) -> CaptioningTrainingOptions:
    """Return how a network learns to describe in so many minutes."""
    return CaptioningTrainingOptions(
        epochs=1000,
        max_minutes=minutes,
        batch_size=32,
        learning_rate=4e-3,
        seed=seed,
        keep=1,
    )
