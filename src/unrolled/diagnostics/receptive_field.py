"""What a module really looks back on, and whether it looks ahead: probes by gradient."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from unrolled.errors import ConfigError
from unrolled.state import Tree, leaves, map_leaves


@dataclass(frozen=True)
class ReceptiveField:
    """Which inputs can change the last output.

    Args:
        lags: the steps back that reach it, 0 the present one, in order.
        num_steps: how many steps there were to be seen.
        fades: the gradient of the farthest one is so small that smaller ones are taken for 0.
    """

    lags: list[int]
    num_steps: int
    fades: bool

    @property
    def span(self) -> int:
        """How far it reaches, the present step among them: the largest lag + 1."""
        return max(self.lags, default=-1) + 1

    @property
    def bounded(self) -> bool:
        """Whether it ends within the steps there were; where it merely fades, it does not."""
        return self.span < self.num_steps and not self.fades

    @property
    def blind(self) -> int:
        """How many steps within the span cannot be seen."""
        return self.span - len(self.lags)


def influence(module: nn.Module, x: Tree, output_step: int) -> Tensor:
    """Return how much each step of x changes y at ``output_step``: 0 where it cannot, ``[T]``.

    It is the largest derivative, in any row and feature, of a fixed and unequal sum of that
    step's outputs. Tokens have none: their embedded vectors (``F.embedding``) are probed instead.

    Args:
        module: a ``Recurrence``, or any module over ``[B, T, ...]``.
        x: the input; more rows make it less likely that a ReLU hides a path.
        output_step: which step of y, counted from the end where negative.
    Raises:
        ConfigError: there is no gradient, as where tokens are not looked up by ``F.embedding``.
    Example:
        >>> from unrolled.layers import CausalConv1d
        >>> conv = CausalConv1d(3, 5, kernel_size=2, dilation=4)
        >>> influence(conv, torch.randn(1, 7, 3), 5).nonzero().flatten().tolist()
        [1, 5]
    """
    x = map_leaves(lambda leaf: leaf.detach().requires_grad_(leaf.is_floating_point()), x)
    with torch.enable_grad(), _Embedded() as embedded:
        result = module(x)
    y = result[0] if type(result) is tuple else result
    outputs = [leaf[:, output_step] for leaf in leaves(y) if leaf.is_floating_point()]
    loss = sum((_weigh(output) for output in outputs), torch.zeros(()))
    chunks = [leaf for leaf in leaves(x) if leaf.requires_grad]
    chunks += [shift for shift in embedded.shifts if shift.shape[:2] == leaves(x)[0].shape[:2]]
    steps = [] if chunks else embedded.shifts  # a loop looks its tokens up step by step
    num_steps = leaves(x)[0].shape[1]
    if not loss.requires_grad or (not chunks and len(steps) != num_steps):
        raise ConfigError(
            "a float input, or tokens looked up by F.embedding, with a gradient from y",
            f"none in {type(module).__name__}",
        )
    found = torch.autograd.grad(loss, chunks + steps, allow_unused=True, materialize_grads=True)
    if steps:
        return torch.stack([gradient.abs().max() for gradient in found])
    largest = [g.abs().transpose(0, 1).flatten(1).max(dim=1).values for g in found]
    return torch.stack(largest).max(dim=0).values


def receptive_field(module: nn.Module, x: Tree) -> ReceptiveField:
    """Find by gradient which steps of x can change the last step of y.

    With a stride the last output is that of the last block, and lags count from the block's first
    step, where it is computed.

    Example:
        >>> from unrolled.layers import CausalConv1d, Serial
        >>> stack = Serial(*(CausalConv1d(3, 3, kernel_size=2, dilation=2**i) for i in range(4)))
        >>> receptive_field(stack, torch.randn(1, 20, 3)).span
        16
    """
    strength = influence(module, x, -1)
    reached = strength.nonzero().flatten()
    last = len(strength) - int(getattr(module, "stride", 1))
    faintest = strength[reached[0]] if len(reached) else torch.ones(())
    fades = bool(faintest < torch.finfo(strength.dtype).tiny ** 0.5)
    return ReceptiveField((last - reached).flip(0).tolist(), last + 1, fades)


def probe_receptive_field(
    module: nn.Module,
    input_of: Callable[[int], Tree],
    *,
    max_steps: int,
    max_seconds: float = math.inf,
) -> ReceptiveField:
    """Probe with ever longer inputs, doubling until the field ends within one.

    Args:
        module: a ``Recurrence``, or any module over ``[B, T, ...]``.
        input_of: makes an input of so many steps.
        max_steps: the longest input.
        max_seconds: no longer input is begun that would take the whole beyond this.
    """
    began, stride = time.monotonic(), int(getattr(module, "stride", 1))
    longest = max(max_steps // stride, 1) * stride
    num_steps = min(16 * stride, longest)
    while True:
        field = receptive_field(module, input_of(num_steps))
        seconds = time.monotonic() - began
        if field.bounded or field.fades or num_steps == longest or 3 * seconds > max_seconds:
            return field
        num_steps = min(2 * num_steps, longest)


def looks_ahead(module: nn.Module, x: Tree) -> list[tuple[int, int]]:
    """Return every (step of y, later step of x that changes it): empty for a causal module.

    Block j of y may depend on its own block of x, steps up to ``(j + 1) * stride - 1``.

    Example:
        >>> from unrolled.cells import LSTM
        >>> looks_ahead(LSTM(3, 5), torch.randn(1, 7, 3))
        []
    """
    stride = int(getattr(module, "stride", 1))
    num_outputs = leaves(x)[0].shape[1] // stride
    return [
        (step, later)
        for step in range(num_outputs)
        for later in influence(module, x, step).nonzero().flatten().tolist()
        if later >= (step + 1) * stride
    ]


class _Embedded(TorchFunctionMode):
    """Add zeros that have a gradient to whatever is looked up, and keep them."""

    def __init__(self) -> None:
        super().__init__()
        self.shifts: list[Tensor] = []

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is F.embedding:
            self.shifts.append(torch.zeros_like(result, requires_grad=True))
            return result + self.shifts[-1]
        return result


def _weigh(output: Tensor) -> Tensor:
    """Sum under unequal weights, so that parts that cancel in a plain sum do not."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.rand(output.shape[1:], generator=generator) + 0.5
    return (output * weights.to(output)).sum()
