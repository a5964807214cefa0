"""What a training run can be told; the same for every task."""

from dataclasses import dataclass

from unrolled.errors import ConfigError


@dataclass(frozen=True)
class TrainingOptions:
    """How long and how to train.

    The first of ``epochs``, ``max_steps`` and ``max_minutes`` that is used up ends the run, and the
    learning rate falls to nought over it by half a cosine.

    Args:
        epochs: passes over the training data.
        max_steps: updates of the weights at most.
        max_minutes: wall-clock minutes at most, validation included.
        batch_size: sequences side by side.
        window: steps that a gradient goes back through (k1 = k2); the state is carried on.
        learning_rate: of Adam, at its highest.
        clip_norm: the gradient's norm is brought down to this where it is larger.
        seed: of the initial weights and of dropout.
        threads: CPU threads; 0 leaves torch's own choice.
    """

    epochs: int = 10
    max_steps: int | None = None
    max_minutes: float | None = None
    batch_size: int = 8
    window: int = 64
    learning_rate: float = 2e-3
    clip_norm: float = 1.0
    seed: int = 0
    threads: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "max_steps", "max_minutes", "batch_size", "window"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ConfigError(f"{name} above 0", str(value))
        for name in ("learning_rate", "clip_norm"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ConfigError(f"{name} above 0 and finite", str(getattr(self, name)))
