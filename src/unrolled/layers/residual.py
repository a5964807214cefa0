"""A layer and the way around it."""

from typing import Any, NamedTuple, TypeAlias

from torch import Tensor

from unrolled.errors import ConfigError, ShapeError
from unrolled.recurrence import Recurrence
from unrolled.state import Tree


class ResidualState(NamedTuple):
    """What the layer carries, and what the way around it does: () where x goes straight on."""

    layer: Any
    skip: Any


Pairs: TypeAlias = list[tuple[Recurrence[Any, Any, Any, Any], Any]]
Branches: TypeAlias = tuple[Pairs, Pairs, bool]


class Residual(Recurrence[ResidualState]):
    """Add what a layer gives to what it was given.

        y = skip(x) + layer(x)                 skip(x) = x unless another way around is given

    Limits add up, and a context goes to every layer inside that takes its kind.

    Shapes: x [B, T, ...] float; state ResidualState(layer's, skip's); y as the layer gives it,
        which is as x where there is no skip.
    Args:
        layer: a recurrence whose y has the shape of its x; a ``Serial`` is fine.
        skip: the way around, where the layer changes the shape: often one ``Linear``.
    Raises:
        ConfigError: a layer has a stride: x then has more steps than the y to add it to.
        ShapeError: the two that are to be added have not the same shape.
    Source: He et al. 2016, arXiv:1512.03385, eq. 1-2. Differs: no activation after the sum; put one
        behind it where a network has it.
    Example:
        >>> import torch
        >>> from unrolled.cells import LSTM
        >>> y, state = Residual(LSTM(5, 5))(torch.zeros(2, 3, 5))
        >>> y.shape, state.layer.h.shape
        (torch.Size([2, 3, 5]), torch.Size([2, 5]))
    """

    def __init__(
        self,
        layer: Recurrence[Any, Any, Any, Any],
        skip: Recurrence[Any, Any, Any, Any] | None = None,
    ) -> None:
        super().__init__()
        for part in (layer, skip):
            if part is not None and part.stride > 1:
                raise ConfigError(
                    "a layer of stride 1, because x has as many steps as the y that it is added to",
                    f"stride={part.stride}",
                    "put the strided layer before or behind the Residual",
                )
        self.layer, self.skip = layer, skip
        self.supports = layer.supports if skip is None else layer.supports & skip.supports

    def branches(self, state: ResidualState) -> Branches:
        """Return the layer and the way around it with their states; no ReLU is behind them."""
        layer, skip = self.layer, self.skip
        return [(layer, state.layer)], [] if skip is None else [(skip, state.skip)], False

    def initial_state(self, batch_size: int) -> ResidualState:
        """Return the initial state of the layer and of the way around it."""
        layer, skip = self.layer, self.skip
        return ResidualState(
            layer.initial_state(batch_size), () if skip is None else skip.initial_state(batch_size)
        )

    def state_like(self, x_t: Tensor) -> ResidualState:
        """Return the same for such a frame."""
        layer, skip = self.layer, self.skip
        return ResidualState(layer.state_like(x_t), () if skip is None else skip.state_like(x_t))

    def scan(self, x: Tensor, state: ResidualState) -> tuple[Tensor, ResidualState]:
        """Run the whole chunk through the layer, and add it."""
        layer, skip = self.layer, self.skip
        y, layer_state = layer(x, state.layer)
        around, skip_state = (x, ()) if skip is None else skip(x, state.skip)
        return _add(around, y), ResidualState(layer_state, skip_state)

    def step(self, x_t: Tensor, state: ResidualState) -> tuple[Tensor, ResidualState]:
        """Take one step in the layer."""
        layer, skip = self.layer, self.skip
        y_t, layer_state = layer.step(x_t, state.layer)
        around, skip_state = (x_t, ()) if skip is None else skip.step(x_t, state.skip)
        return _add(around, y_t), ResidualState(layer_state, skip_state)

    def step_(self, x_t: Tensor, state: ResidualState) -> tuple[Tensor, ResidualState]:
        """Take one step in the layer, which overwrites its state."""
        layer, skip = self.layer, self.skip
        y_t, layer_state = layer.step_(x_t, state.layer)
        around, skip_state = (x_t, ()) if skip is None else skip.step_(x_t, state.skip)
        return _add(around, y_t), ResidualState(layer_state, skip_state)


def _add(around: Tree, y: Tree) -> Tensor:
    shapes = [list(t.shape) if isinstance(t, Tensor) else type(t).__name__ for t in (around, y)]
    if not (isinstance(around, Tensor) and isinstance(y, Tensor) and shapes[0] == shapes[1]):
        raise ShapeError(
            f"the layer's y of shape {shapes[0]}, as what it is added to",
            str(shapes[1]),
            "let the layer keep the size of x, or give Residual a skip such as Linear",
        )
    return around + y
