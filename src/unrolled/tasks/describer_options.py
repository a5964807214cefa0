"""What a network that learns to describe is, and how it learns; read without importing torch."""

from typing import Any

from unrolled.tasks.captioning.learning_options import CaptioningTrainingOptions, DescribingOptions
from unrolled.tasks.captioning.options import CaptioningOptions

NETWORK = "show_attend_tell"
NETWORK_OPTIONS: dict[str, Any] = {
    "embedding_size": 48,
    "hidden_size": 128,
    "attention_size": 64,
    "doubly_stochastic": 0.0,  # most of a wall is bare: it need not be looked at
    "encoder.width": 24,
    "encoder.depth": 3,  # a place is 8 pixels wide, and sees 22
}
SIDE = 32  # pixels of a picture
READING = CaptioningOptions(height=SIDE, width=SIDE, scenes=3000, split="94/2/4")
DESCRIBING = DescribingOptions(first_captions=1, captions_per_picture=1, beam=3)


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
