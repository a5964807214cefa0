"""What a training run can be told; the same for every task."""

from dataclasses import dataclass
from math import isfinite
from typing import ClassVar, Literal

from unrolled.errors import ConfigError

_MOST_THREADS = 1024  # OpenMP takes the process down over a number that the machine cannot give


@dataclass(frozen=True)
class TrainingOptions:
    """How long and how to train.

    The first of ``epochs``, ``max_steps`` and ``max_minutes`` that is used up ends the run; the
    schedule of the learning rate is stretched over it.

    Args:
        epochs: passes over the training data; if max_steps and max_minutes are left out too, it is
            10 for texts, 30 for clips and 15 for captions.
        max_steps: updates of the weights at most.
        max_minutes: wall-clock minutes at most, validation and earlier parts of a run included.
        batch_size: sequences side by side.
        window: steps from one update to the next (k1).
        backward_steps: steps that a gradient goes back through (k2), a multiple of window; left
            out, it is the window.
        carry_state: go on from the last window's state; if not, every window starts anew.
        optimizer: which rule updates the weights.
        learning_rate: at its highest.
        momentum: of sgd and rmsprop.
        weight_decay: of every optimizer; decoupled in adamw.
        schedule: how the learning rate falls: by half a cosine, tenfold at 1/2 and 3/4, by a factor
            every epoch, or never.
        decay: that factor, of the schedule "epochs".
        full_rate_epochs: epochs before the first such fall.
        warm_up: share of the run in which the learning rate rises.
        clip_norm: the gradient's norm is brought down to this; 0 leaves it.
        clip_value: every element of the gradient is cut to this, before the norm; 0 leaves them.
        on_bad_number: stop at a NaN or infinity, or skip that window and go on.
        checkpoint_seconds: between checkpoints; 0 saves after every update.
        keep: how many checkpoints are kept.
        seed: of the initial weights and of dropout.
        device: cpu, cuda, cuda:1 or mps; or auto, which is the machine's GPU if it has one.
        threads: CPU threads; 0 leaves torch's own choice.
    """

    usual_epochs: ClassVar[int] = 10
    refused: ClassVar[tuple[str, ...]] = ()  # options that a task has no use for

    epochs: int | None = None
    max_steps: int | None = None
    max_minutes: float | None = None
    batch_size: int = 8
    window: int = 64
    backward_steps: int | None = None
    carry_state: bool = True
    optimizer: Literal["adam", "adamw", "sgd", "adagrad", "rmsprop"] = "adam"
    learning_rate: float = 2e-3
    momentum: float = 0.0
    weight_decay: float = 0.0
    schedule: Literal["cosine", "steps", "epochs", "constant"] = "cosine"
    decay: float = 0.5
    full_rate_epochs: int = 1
    warm_up: float = 0.02
    clip_norm: float = 1.0
    clip_value: float = 0.0
    on_bad_number: Literal["stop", "skip"] = "stop"
    checkpoint_seconds: float = 30.0
    keep: int = 2
    seed: int = 0
    device: str = "cpu"
    threads: int = 0

    def __post_init__(self) -> None:
        if self.epochs is None and self.max_steps is None and self.max_minutes is None:
            object.__setattr__(self, "epochs", self.usual_epochs)
        above_zero = ("epochs", "max_steps", "max_minutes", "batch_size", "window", "keep")
        for name in (*above_zero, "backward_steps", "learning_rate", "decay", "full_rate_epochs"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and isfinite(value)):
                raise ConfigError(f"{name} above 0", str(value))
        for name in ("momentum", "weight_decay", "warm_up", "clip_norm", "clip_value"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name} of at least 0", str(getattr(self, name)))
        if not 0 <= self.threads <= _MOST_THREADS:
            raise ConfigError(f"threads from 0 to {_MOST_THREADS}", str(self.threads))
        if self.backward_steps is not None and self.backward_steps % self.window:
            raise ConfigError(
                f"backward_steps a multiple of the window {self.window}", str(self.backward_steps)
            )

    @property
    def windows_back(self) -> int:
        """How many windows a gradient goes back through, the present one among them."""
        return (self.backward_steps or self.window) // self.window
