"""Everything that `unrolled inspect` shows of a recurrence."""

import copy
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from unrolled.diagnostics.census import Census, census
from unrolled.diagnostics.receptive_field import ReceptiveField, probe_receptive_field
from unrolled.diagnostics.specimen import example_features, example_input
from unrolled.errors import ConfigError
from unrolled.fused import answers
from unrolled.recurrence import Recurrence
from unrolled.state import leaves


@dataclass(frozen=True)
class Inspection:
    """What a recurrence is made of, carries, sees and promises.

    Args:
        census: its layers.
        x: shape of the input that one step takes, without the batch axis.
        stride: steps of x for one of y.
        context_bytes: what a sequence looks at, beside its state; 0 without a context.
        field: its receptive field, as far as it was probed; the reason where it was not.
        limits: what it does not promise, with the reason.
        loops: how each recurrence within is looped over: its plan, or why it has none.
    """

    census: Census
    x: tuple[int, ...]
    stride: int
    context_bytes: int
    field: ReceptiveField | str
    limits: dict[str, str]
    loops: dict[str, str]

    def figures(self) -> dict[str, Any]:
        """Return everything under names that say their units."""
        field = self.field if isinstance(self.field, ReceptiveField) else None
        return {
            "layers": [asdict(layer) for layer in self.census.layers],
            "parameters": self.census.parameters,
            "macs_per_step": self.census.macs,
            "macs_once_per_sequence": self.census.macs_once,
            "state_bytes_per_stream": self.census.state_bytes,
            "context_bytes_per_sequence": self.context_bytes,
            "stride": self.stride,
            "receptive_field_steps": field.span if field and field.bounded else None,
            "receptive_field": self.sight(),
            "limits": self.limits,
            "loops": self.loops,
        }

    def sight(self) -> str:
        """Say in words how far it sees."""
        if isinstance(self.field, str):
            return f"not probed: {self.field}"
        if self.field.bounded:
            blind = f", of which {self.field.blind:,} are not seen" if self.field.blind else ""
            return f"{self.field.span:,} steps{blind}"
        if self.field.fades:
            return f"unbounded; the gradient fades to nothing after {self.field.span:,} steps"
        return f"no end within the {self.field.num_steps:,} steps probed"


def inspect_recurrence(
    module: Recurrence[Any, Any, Any, Any], *, max_steps: int = 16384, max_seconds: float = 1.0
) -> Inspection:
    """Count a recurrence on an input made for it, and probe a copy of it in float64.

    Args:
        module: any recurrence whose ``step`` or ``scan`` says what it takes.
        max_steps: how far its receptive field is probed at most.
        max_seconds: and how long, about.
    Raises:
        ConfigError: no input can be made for it; see ``example_input``.
    Example:
        >>> from unrolled.layers import CausalConv1d
        >>> inspect_recurrence(CausalConv1d(3, 5, kernel_size=2, dilation=4)).sight()
        '5 steps, of which 3 are not seen'
    """
    x, features = example_input(module, module.stride), example_features(module)
    counted = census(module, x, features)
    probed, context_bytes = copy.deepcopy(module).double().eval(), 0
    if features is not None:
        memory = probed.remember(features.double())  # type: ignore[operator]
        probed = probed.given(memory)
        context_bytes = features.element_size() * sum(leaf.numel() for leaf in leaves(memory))
    field: ReceptiveField | str
    try:
        field = probe_receptive_field(
            probed,
            lambda num_steps: example_input(probed, num_steps),
            max_steps=max_steps,
            max_seconds=max_seconds,
        )
    except ConfigError as error:
        field = str(error)
    promises = asdict(module.supports)
    limits = {name: reason for name, reason in promises.items() if isinstance(reason, str)}
    shape = tuple(leaves(x)[0].shape[1 if module.stride > 1 else 2 :])
    loops = _loops(module, features)
    return Inspection(counted, shape, module.stride, context_bytes, field, limits, loops)


@torch.no_grad()
def _loops(module: Recurrence[Any, Any, Any, Any], features: Tensor | None) -> dict[str, str]:
    """Run a few steps, and return how each recurrence that has a step was looped over."""
    run = copy.deepcopy(module).eval()
    bound = run if features is None else run.given(run.remember(features))  # type: ignore[operator]
    bound(example_input(run, 8 * run.stride))
    return answers(bound)
