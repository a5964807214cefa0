"""One step after the other with as many rows, each layer's in one native call where it can be."""

from typing import Any

from torch import Tensor

from unrolled.fused import Stepping
from unrolled.kernels.trace import UnplannableError
from unrolled.layers import Serial
from unrolled.recurrence import Recurrence

AnyRecurrence = Recurrence[Any, Any, Any, Any]


class Steps:
    """Steps of one model; its weights are packed, and so frozen, while the rows stay as many.

    Example:
        >>> import torch
        >>> from unrolled.cells import GRU
        >>> cell = GRU(3, 5).eval()
        >>> with torch.no_grad():
        ...     y_t, state = Steps()(cell, torch.ones(2, 3), cell.initial_state(2))
        >>> y_t.shape
        torch.Size([2, 5])
    """

    def __init__(self) -> None:
        self._num_rows = -1
        self._steppers: dict[int, Stepping | None] = {}  # by the place of the layer

    def __call__(self, model: AnyRecurrence, x_t: Tensor, state: Any) -> tuple[Any, Any]:
        """Do what ``model.step_`` does; both states are overwritten, by this step and the next."""
        if len(x_t) != self._num_rows:
            self._num_rows, self._steppers = len(x_t), {}
        # A subclass that has its own step may do more than its layers one after the other.
        if not isinstance(model, Serial) or type(model).step_ is not Serial.step_:
            return self._step(0, model, x_t, state)
        after = []
        for place, (layer, before) in enumerate(zip(model.layers, state, strict=True)):
            x_t, layer_state = self._step(place, layer, x_t, before)
            after.append(layer_state)
        return x_t, tuple(after)

    def _step(self, place: int, layer: AnyRecurrence, x_t: Tensor, state: Any) -> tuple[Any, Any]:
        if place not in self._steppers:
            self._steppers[place] = _stepper(layer, x_t, state)
        stepper = self._steppers[place]
        if stepper is None:
            return layer.step_(x_t, state)
        stepper.take(state)
        return stepper(x_t), stepper.state


def _stepper(layer: AnyRecurrence, x_t: Tensor, state: Any) -> Stepping | None:
    try:
        return layer.stepper(x_t, state)
    except UnplannableError:
        return None
