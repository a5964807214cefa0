"""What a network that learns to watch is, and how it learns; read without importing torch."""

from typing import Any

from unrolled.training.options import TrainingOptions

NETWORK = "causal_small"
NETWORK_OPTIONS: dict[str, Any] = {"widths": (24, 48), "hidden_size": 64, "dropout": 0.0}
SIDE = 32  # pixels of a frame
CLASSES = ("left", "right", "up", "down")
STILL = "still"  # what it says where nothing moves
FILM_SECONDS = 20  # of the unseen film
STREAMS, WINDOW = 16, 16  # side by side, and frames from one update to the next


def watcher_training(minutes: float, seed: int) -> TrainingOptions:
    """Return how a network learns to watch in so many minutes."""
    return TrainingOptions(
        epochs=1000,
        max_minutes=minutes,
        batch_size=STREAMS,
        window=WINDOW,
        learning_rate=1e-2,
        seed=seed,
        threads=1,  # so small a network gains nothing by two, which wait where others compute too
    )
