"""What a module is made of: parameters, outputs and multiply-accumulates, layer by layer."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils.parametrize import is_parametrized
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from unrolled.recurrence import Recurrence
from unrolled.state import Tree, first_step, leaves, map_leaves

_ENTRANCES = ("forward", "step", "step_", "scan", "initial_state", "state_like", "remember")
_ONCE = {"initial_state", "remember"}
_VECTORS = {"mv": 0, "addmv": 1, "dot": 0}  # which argument's numbers are each multiplied once


@dataclass(frozen=True)
class Layer:
    """One module of the tree, with what is its own and not its children's.

    Args:
        name: its path in the tree; empty for the module itself.
        kind: its class.
        output: shape of what it gives for one step of one sequence; None where it did not run.
        parameters: numbers it learns; those shared with an earlier layer count there.
        macs: multiply-accumulates of its matrix products and convolutions, a step.
        macs_once: those made once a sequence, for the initial state and the context.
    """

    name: str
    kind: str
    output: tuple[int, ...] | None
    parameters: int
    macs: int
    macs_once: int


@dataclass(frozen=True)
class Census:
    """Every layer that learns, multiplies or has no children.

    Args:
        layers: in the order of the tree.
        state_bytes: what one stream carries; 0 for a module that is no ``Recurrence``.
    """

    layers: list[Layer]
    state_bytes: int

    @property
    def parameters(self) -> int:
        """Numbers that are learnt, each counted once."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-accumulates a step (a block, with a stride)."""
        return sum(layer.macs for layer in self.layers)

    @property
    def macs_once(self) -> int:
        """Multiply-accumulates made once a sequence."""
        return sum(layer.macs_once for layer in self.layers)


@torch.no_grad()
def census(module: nn.Module, x: Tree, features: Tensor | None = None) -> Census:
    """Count by running: one ``step_`` of a ``Recurrence``, one call of any other module.

    A step is what a stream computes, so the count is that of a frame as it arrives. Products of
    matrices and convolutions count, elementwise work does not. Fused kernels are kept out of the
    run, so that nothing hides in one. The module itself is not touched: a copy that shares its
    parameters runs, in ``eval()``.

    Args:
        module: any module; one that takes a context has it bound, or is given ``features``.
        x: an input ``[B, T, ...]``, of which the first row and, in a ``Recurrence``, the first
            step are used.
        features: what a module with ``remember`` makes its context of.
    Example:
        >>> from unrolled.cells import LSTM
        >>> counted = census(LSTM(3, 5), torch.zeros(1, 1, 3))
        >>> counted.parameters, counted.macs, counted.state_bytes
        (200, 160, 40)
    """
    meter = _Meter()
    x = map_leaves(lambda leaf: leaf[:1], x)
    state_bytes = 0
    with _without_fused_kernels(), meter:
        if features is not None:
            module = module.given(_watched(module, meter).remember(features[:1]))  # type: ignore[operator]
        watched = _watched(module, meter)
        if isinstance(watched, Recurrence):
            x_t = first_step(x, watched.stride)
            # A clone, because step_ writes into it and a module may hand out one that it keeps.
            state = map_leaves(torch.clone, watched.state_like(x_t))
            state_bytes = sum(leaf.numel() * leaf.element_size() for leaf in leaves(state))
            meter.stepping = True
            watched.step_(x_t, state)
        else:
            meter.stepping = True
            watched(x)
    return Census(list(_layers(module, meter)), state_bytes)


def count_parameters(module: nn.Module) -> int:
    """Return how many numbers a module learns, those that it shares with itself once.

    Example:
        >>> count_parameters(nn.Linear(3, 5))
        20
    """
    return sum(parameter.numel() for parameter in module.parameters())


class _Meter(TorchDispatchMode):
    """Count every product that torch runs, for the innermost layer that is then at work."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.stepping = False
        self.inside: list[tuple[str, str]] = []  # layer and method, the innermost last
        self.step: dict[str, int] = defaultdict(int)
        self.once: dict[str, int] = defaultdict(int)
        self.outputs: dict[str, tuple[int, ...]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing is compiled here, and importing the compiler takes seconds

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if self.inside and (macs := macs_of(func, args, kwargs, result)):
            name = self.inside[-1][0]
            if any(method in _ONCE for _, method in self.inside):
                self.once[name] += macs
            elif self.stepping:
                self.step[name] += macs
        return result


def macs_of(func: Any, args: Any, kwargs: dict[str, Any], result: Any) -> int:
    """Return the multiply-accumulates of one operation that torch ran."""
    packet = func._overloadpacket
    if packet in flop_registry:
        return int(flop_registry[packet](*args, **kwargs, out_val=result)) // 2
    if packet.__name__ == "mkldnn_rnn_layer":  # torch.nn.LSTM on a CPU, one direction of a layer
        x, weight_ih, weight_hh = args[:3]
        return int(x.shape[0] * x.shape[1] * (weight_ih.numel() + weight_hh.numel()))
    if packet.__name__ in _VECTORS:
        return int(args[_VECTORS[packet.__name__]].numel())
    return 0


@contextmanager
def _without_fused_kernels() -> Iterator[None]:
    """Run recurrent layers and attention as the products that they are made of."""
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with ExitStack() as stack:
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)


def _watched(module: nn.Module, meter: _Meter, name: str = "") -> nn.Module:
    """Copy a tree of modules, sharing every tensor, with its methods reporting to ``meter``."""
    # Not copy.copy: torch forbids it for modules with parametrizations, such as weight_norm.
    watched = object.__new__(type(module))
    vars(watched).update(vars(module))
    watched._modules = {
        key: child if child is None else _watched(child, meter, f"{name}.{key}" if name else key)
        for key, child in module._modules.items()
    }
    watched.training = False
    for method in _ENTRANCES:
        if callable(getattr(watched, method, None)):
            vars(watched)[method] = _reporting(getattr(watched, method), method, name, meter)
    return watched


def _reporting(
    call: Callable[..., Any], method: str, name: str, meter: _Meter
) -> Callable[..., Any]:
    """Tell the meter which layer is at work, and what it gave."""
    # What is left out of a shape: the batch axis and, in a chunk of a Recurrence, time.
    is_recurrence = isinstance(getattr(call, "__self__", None), Recurrence)
    leading = 2 if is_recurrence and method in ("forward", "scan") else 1

    def reporting(*args: Any, **kwargs: Any) -> Any:
        meter.inside.append((name, method))
        try:
            result = call(*args, **kwargs)
        finally:
            meter.inside.pop()
        if method in ("forward", "step", "step_", "scan"):
            y = result[0] if type(result) is tuple else result
            meter.outputs[name] = tuple(leaves(y)[0].shape[leading:])
        return result

    return reporting


def _layers(module: nn.Module, meter: _Meter) -> Iterator[Layer]:
    seen: set[int] = set()
    for name, layer in module.named_modules():
        if "parametrizations" in name.split(
            "."
        ):  # weight_norm's parts belong to whose weight it is
            continue
        parts = [layer, *layer.parametrizations.modules()] if is_parametrized(layer) else [layer]
        parameters = [p for part in parts for p in part.parameters(recurse=False)]
        own = {id(p): p.numel() for p in parameters if id(p) not in seen}
        seen |= own.keys()
        step, once = meter.step[name], meter.once[name]
        if own or step or once or not any(True for _ in layer.children()):
            kind = type(layer).__bases__[0] if is_parametrized(layer) else type(layer)
            output = meter.outputs.get(name)
            yield Layer(name, kind.__name__, output, sum(own.values()), step, once)
