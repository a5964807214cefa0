"""One recurrence after the other."""

from collections.abc import Mapping
from functools import reduce
from math import prod
from operator import and_
from typing import Any, TypeAlias, cast

from torch import nn

from unrolled.errors import ConfigError
from unrolled.layers._sizes import frame_after
from unrolled.layers.prepared import PreparedStepper
from unrolled.recurrence import Recurrence
from unrolled.state import Tree, first_step, map_leaves

AnyLayer: TypeAlias = Recurrence[Any, Any, Any, Any]


class Serial(Recurrence[tuple[Any, ...], Tree, Tree]):
    """Layers in series: what one gives, the next takes.

        y = layer_n(... layer_2(layer_1(x)))

    Strides multiply, limits add up, and a context goes to every layer that takes its kind.

    Shapes: x as the first layer takes it; state a tuple, one state a layer; y as the last gives it.
    Args:
        layers: the recurrences, in order; a ``Serial`` among them is fine. Or one mapping from
            names to them.
    Raises:
        ConfigError: no layer, or a module that is not a ``Recurrence``.
    Source: none; the composition of maps. Parameters are named by position or by name, as in
        torch.nn.Sequential.
    Example:
        >>> import torch
        >>> from unrolled.layers import CausalConv1d
        >>> from unrolled.cells import LSTM
        >>> model = Serial(CausalConv1d(3, 5, kernel_size=2, stride=2), LSTM(5, 7))
        >>> y, state = model(torch.zeros(2, 8, 3))
        >>> y.shape, model.stride
        (torch.Size([2, 4, 7]), 2)
    """

    def __init__(self, *layers: AnyLayer | Mapping[str, AnyLayer]) -> None:
        super().__init__()
        if not layers:
            raise ConfigError("at least one layer", "none")
        named = layers[0] if isinstance(layers[0], Mapping) else dict(enumerate(layers))
        for position, layer in named.items():
            if not isinstance(layer, Recurrence):
                raise ConfigError(
                    f"a Recurrence as layer {position}",
                    type(layer).__name__,
                    "use the layer of that name from unrolled.layers",
                )
            self.add_module(str(position), cast(nn.Module, layer))
        self.stride = prod(layer.stride for layer in self.layers)
        self.supports = reduce(and_, (layer.supports for layer in self.layers))

    @property
    def layers(self) -> list[Recurrence[Any, Any, Any, Any]]:
        """The layers in order, with their contexts bound if this module's are."""
        return cast("list[Recurrence[Any, Any, Any, Any]]", list(self._modules.values()))

    def initial_state(self, batch_size: int) -> tuple[Any, ...]:
        """Return the initial state of each layer."""
        return tuple(layer.initial_state(batch_size) for layer in self.layers)

    def state_like(self, x_t: Tree) -> tuple[Any, ...]:
        """Return the initial state of each layer, for the frame that reaches it."""
        x = x_t if self.stride > 1 else map_leaves(lambda leaf: leaf.unsqueeze(1), x_t)
        states = []
        for position, layer in enumerate(self.layers):
            states.append(layer.state_like(first_step(x, layer.stride)))
            if position + 1 < len(self.layers):  # only to learn what reaches the next layer
                x = frame_after(layer, x, states[-1])
        return tuple(states)

    def flattened(self, state: tuple[Any, ...]) -> list[tuple[AnyLayer, Any]]:
        """Return every layer with its part of the state."""
        return list(zip(self.layers, state, strict=True))

    def stepper(self, x_t: Tree, state: tuple[Any, ...]) -> PreparedStepper:  # noqa: ARG002
        """Return ``step`` with the weights of causal convolutions folded, packed and frozen.

        Raises:
            UnplannableError: with the reason; ``step_`` does the same.
        """
        return PreparedStepper(self, state)

    def scan(self, x: Tree, state: tuple[Any, ...]) -> tuple[Tree, tuple[Any, ...]]:
        """Run the whole chunk through one layer after the other."""
        after = []
        for layer, before in zip(self.layers, state, strict=True):
            x, layer_state = layer(x, before)
            after.append(layer_state)
        return x, tuple(after)

    def step(self, x_t: Tree, state: tuple[Any, ...]) -> tuple[Tree, tuple[Any, ...]]:
        """Take one step in every layer; with a stride, scan the block instead."""
        if self.stride > 1:
            return super().step(x_t, state)
        after = []
        for layer, before in zip(self.layers, state, strict=True):
            x_t, layer_state = layer.step(x_t, before)
            after.append(layer_state)
        return x_t, tuple(after)

    def step_(self, x_t: Tree, state: tuple[Any, ...]) -> tuple[Tree, tuple[Any, ...]]:
        """Take one step in every layer, each overwriting its state."""
        if self.stride > 1:
            return self.step(x_t, state)
        after = []
        for layer, before in zip(self.layers, state, strict=True):
            x_t, layer_state = layer.step_(x_t, before)
            after.append(layer_state)
        return x_t, tuple(after)
