"""What a network that learns to narrate is, and how it learns; read without importing torch."""

from typing import Any

from unrolled.tasks.language.options import LanguageOptions
from unrolled.training.options import TrainingOptions

SENTENCES = 100_000
NETWORK = "lstm"
NETWORK_OPTIONS: dict[str, Any] = {"embedding_size": 32, "hidden_size": 128}
READING = LanguageOptions(split="90/10", level="word")


def narrator_training(minutes: float, seed: int) -> TrainingOptions:
    """Return how a network learns to narrate in so many minutes."""
    return TrainingOptions(
        epochs=1000,
        max_minutes=minutes,
        window=64,
        learning_rate=8e-3,
        seed=seed,
        keep=1,
        threads=1,  # so small a network gains nothing by two, which wait where others compute too
    )
