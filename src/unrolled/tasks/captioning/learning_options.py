"""What the captioning task can be told of its networks and of learning; imports no torch."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from unrolled.errors import ConfigError
from unrolled.training.options import TrainingOptions


@dataclass(frozen=True)
class DescribingOptions:
    """What looks at the pictures, what is learnt of each, and how captions are searched for.

    Args:
        encoder: the network over pictures whose maps are described, such as plain_cnn, resnet18 or
            vgg16; --set model.encoder.KEY=VALUE sets its options.
        weights: a model folder or a file of weights that the encoder starts from.
        freeze: leave the encoder as it is; what it makes of the pictures is computed once.
        cache: a folder in which what an encoder with --freeze makes of the pictures is kept from
            run to run.
        finetune_after: updates after which the encoder, frozen until then, begins to learn.
        captions_per_picture: captions of a picture that are learnt from each time it comes, drawn
            anew every epoch; the picture is looked at once for all of them.
        first_captions: learn from so many of a picture's captions only, the first ones; all are
            still its references.
        beam: hypotheses that a search for a caption keeps.
        length_penalty: 0 takes the likeliest caption; above it, longer ones gain.
    """

    encoder: str = "plain_cnn"
    weights: str | None = None
    freeze: bool = False
    cache: str | None = None
    finetune_after: int | None = None
    captions_per_picture: int = 3
    first_captions: int | None = None
    beam: int = 3
    length_penalty: float = 0.0

    def __post_init__(self) -> None:
        for name in ("captions_per_picture", "first_captions", "beam", "finetune_after"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} of at least 1", str(value))
        if not self.length_penalty >= 0:
            raise ConfigError("a length_penalty of at least 0", str(self.length_penalty))
        if self.cache is not None and not self.freeze:
            raise ConfigError("--freeze with --cache", "an encoder that learns")
        if self.freeze and self.finetune_after is not None:
            raise ConfigError("--freeze or --finetune-after", "both", "freeze is for the whole run")
        if self.weights is None and (self.freeze or self.finetune_after is not None):
            flag = "--freeze" if self.freeze else "--finetune-after"
            raise ConfigError(f"--weights with {flag}", "an encoder that has learnt nothing yet")

    def frozen_at(self, updates: int) -> bool:
        """Tell whether the encoder stays as it is after so many updates.

        Example:
            >>> options = DescribingOptions(weights="vgg16", finetune_after=100)
            >>> options.frozen_at(99), options.frozen_at(100)
            (True, False)
        """
        return self.freeze or (self.finetune_after is not None and updates < self.finetune_after)


@dataclass(frozen=True)
class CaptioningTrainingOptions(TrainingOptions):  # noqa: D101 (it has its parent's)
    # The words are those of every task; only what is usual differs.
    __doc__ = TrainingOptions.__doc__

    usual_epochs: ClassVar[int] = 15
    refused: ClassVar[tuple[str, ...]] = ("window", "backward_steps", "carry_state")

    batch_size: int = 32
    learning_rate: float = 3e-3
    optimizer: Literal["adam", "adamw", "sgd", "adagrad", "rmsprop"] = "adam"
    warm_up: float = 0.05
    clip_norm: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        usual = TrainingOptions.__dataclass_fields__
        for name in self.refused:
            if getattr(self, name) != usual[name].default:
                flag = f"--{name.replace('_', '-')}"
                raise ConfigError(
                    f"no {flag}, since captions are learnt whole", str(getattr(self, name))
                )
