"""Any ordinary module, applied to every frame by itself."""

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence, Supports


class PerFrame(Recurrence[tuple[()]]):
    """Apply a module that knows no time to every frame, by folding time into the batch.

        y_t = module(x_t)              computed as module(x [B*T, ...])

    A module with batch statistics, or one that draws random numbers in training, sees other
    neighbours after a cut: it is declared in ``supports.training``, and the law is then promised in
    ``eval()``.

    Shapes: x [B, T, ...] with frames as the module takes them; state (); y [B, T, ...].
    Args:
        module: any torch.nn.Module from [N, ...] to [N, ...], rows independent in eval().
    Raises:
        ConfigError: the module is a ``Recurrence``, or takes batch statistics in eval() too.
    Source: none; the map of a function over time. Parameters are named ``module.*``.
    Example:
        >>> import torch
        >>> y, _ = PerFrame(nn.Conv2d(3, 5, kernel_size=3))(torch.zeros(2, 7, 3, 11, 13))
        >>> y.shape
        torch.Size([2, 7, 5, 9, 11])
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        if isinstance(module, Recurrence):
            raise ConfigError(
                "an ordinary module, without time", type(module).__name__, "use it as it is"
            )
        self.module = module
        self.supports = Supports(training=law_in_training(module))

    def scan(self, x: Tensor, state: tuple[()]) -> tuple[Tensor, tuple[()]]:
        """Apply the module to all frames of a chunk at once."""
        y: Tensor = self.module(x.flatten(0, 1))
        return y.unflatten(0, x.shape[:2]), state

    def step(self, x_t: Tensor, state: tuple[()]) -> tuple[Tensor, tuple[()]]:
        """Apply the module to one frame of every row."""
        return self.module(x_t), state


def law_in_training(module: nn.Module) -> bool | str:
    """Return True, or what inside a module breaks the law in train()."""
    for part in module.modules():
        name = type(part).__name__
        if isinstance(part, _BatchNorm):
            if part.running_mean is None:
                raise ConfigError(
                    "modules that treat every frame alone in eval()",
                    f"{name} without running statistics",
                    "build it with track_running_stats=True",
                )
            return f"{name} takes its statistics over the frames of a chunk in train()"
        if _draws_in_training(part):
            return f"{name} draws its masks from torch's generator in train()"
    return True


def _draws_in_training(part: nn.Module) -> bool:
    if isinstance(part, _DropoutNd):
        return part.p > 0
    if isinstance(part, nn.MultiheadAttention | nn.RNNBase):
        return part.dropout > 0
    return isinstance(part, nn.RReLU)
