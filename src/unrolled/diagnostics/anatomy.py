"""A network over whole clips or pictures, layer by layer: sizes, products, and what each sees."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.diagnostics.census import macs_of
from unrolled.diagnostics.positions import SEEN, Positions
from unrolled.diagnostics.tracking import Tracker

_SIZES = ("C", *SEEN)


@dataclass(frozen=True)
class Organ:
    """One layer of a network, or one pooling that a network makes outside of any layer.

    Args:
        name: its path in the tree; a pooling has the name of its operation behind a colon.
        kind: its class, or the operation.
        output: sizes of what it gives for one input, by axis: C, T, H, W, those there are.
        parameters: numbers it learns; those shared with an earlier layer count there.
        macs: multiply-accumulates of its matrix products and convolutions.
        field: positions of the input that one of its output sees, along T, H and W.
        positions: the same in full.
    """

    name: str
    kind: str
    output: dict[str, int]
    parameters: int
    macs: int
    field: dict[str, int]
    positions: Positions | None


@dataclass(frozen=True)
class Anatomy:
    """Every layer that learns, multiplies, or changes what is seen, in the order of the run.

    Args:
        layers: one row each.
        axes: what the axes of the input are called, such as "TCHW".
        shape: their sizes.
    """

    layers: list[Organ]
    axes: str
    shape: tuple[int, ...]

    @property
    def parameters(self) -> int:
        """Numbers that are learnt, each counted once."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one input."""
        return sum(layer.macs for layer in self.layers)

    def to_depth(self, depth: int) -> "Anatomy":
        """Return the same table with layers below a depth of names added up."""
        groups: dict[str, list[Organ]] = {}
        for layer in self.layers:
            groups.setdefault(".".join(layer.name.split(".")[:depth]), []).append(layer)
        return Anatomy([_sum(name, g) for name, g in groups.items()], self.axes, self.shape)


@torch.no_grad()
def anatomy(module: nn.Module, axes: str, shape: tuple[int, ...]) -> Anatomy:
    """Run a network on an input without numbers, and note every layer; nothing is computed.

    The receptive field is composed of kernel, stride, padding and dilation of every convolution
    and pooling on the way; branches are joined, and a product with all of an axis, or its mean,
    sees all of it. An operation that is not known here is taken to see everything.

    Args:
        module: any module; a copy without numbers runs, in ``eval()``.
        axes: of one input, without the batch, such as "TCHW" or "CHW".
        shape: their sizes.
    Example:
        >>> net = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(5, 7, 3))
        >>> [layer.field["H"] for layer in anatomy(net, "CHW", (3, 16, 16)).layers]
        [3, 4, 8]
    """
    run, watch = weightless(module), _Watch()
    x = torch.zeros(1, *shape, device="meta")
    handles = [hook for name, layer in run.named_modules() for hook in watch.over(name, layer)]
    with watch:
        watch.begin(x, "B" + axes)
        run(x)
    for handle in handles:
        handle.remove()
    return Anatomy(_rows(run, watch), axes, shape)


def weightless(module: nn.Module) -> nn.Module:
    """Return a copy whose tensors have shapes and no numbers, in ``eval()``."""
    memo: dict[int, Any] = {}
    for tensor in (*module.parameters(), *module.buffers()):
        empty = torch.empty_like(tensor, device="meta")
        memo[id(tensor)] = (
            nn.Parameter(empty, requires_grad=False) if isinstance(tensor, nn.Parameter) else empty
        )
    return copy.deepcopy(module, memo).eval()


class _Watch(Tracker):
    """Note the products, and what is seen, for the innermost layer that is then at work."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.macs: dict[str, int] = {}
        self.seen: dict[str, Positions | None] = {}  # by layer, in the order of the run
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.leaves: set[str] = set()

    def over(self, name: str, layer: nn.Module) -> list[Any]:
        """Hook a layer."""
        if not any(True for _ in layer.children()):
            self.leaves.add(name)

        def enter(*_: Any) -> None:
            self.inside.append(name)

        def leave(_: nn.Module, __: Any, result: Any) -> None:
            self.inside.pop()
            y = result[0] if isinstance(result, tuple) else result
            if isinstance(y, Tensor):
                self.seen.pop(name, None)  # to the end, where it was met again
                self.seen[name] = self.positions(y)
                self.shapes[name] = tuple(y.shape[1:])

        return [layer.register_forward_pre_hook(enter), layer.register_forward_hook(leave)]

    def note(self, func: Any, args: Any, kwargs: dict[str, Any], result: Any) -> None:
        """Count an operation for the layer at work."""
        super().note(func, args, kwargs, result)
        name = self.inside[-1] if self.inside else ""
        if macs := macs_of(func, args, kwargs, result):
            self.macs[name] = self.macs.get(name, 0) + macs
        y = result[0] if isinstance(result, tuple) else result
        operation = func._overloadpacket.__name__
        if name not in self.leaves and isinstance(y, Tensor) and _POOLS(operation):
            positions, path = self.positions(y), f"{name}:{_plain(operation)}"
            if positions is not None and any(part.label in SEEN for axis in self._of(args) for part in axis):
                self.seen[path], self.shapes[path] = positions, tuple(y.shape[1:])

    def _of(self, args: Any) -> tuple[Any, ...]:
        positions = self.positions(args[0])
        return () if positions is None else positions.axes


def _plain(operation: str) -> str:
    return operation.removesuffix("_with_indices").lstrip("_")


_POOLS: Callable[[str], bool] = lambda operation: "pool" in operation or operation in ("mean", "amax")  # noqa: E731


def _rows(module: nn.Module, watch: _Watch) -> list[Organ]:
    learnt, counted = {}, set[int]()
    for name, layer in module.named_modules():
        own = {id(p): p.numel() for p in layer.parameters(recurse=False) if id(p) not in counted}
        counted |= own.keys()
        learnt[name] = sum(own.values())
    kinds = {name: type(layer).__name__ for name, layer in module.named_modules()}
    rows = []
    for name, positions in watch.seen.items():
        path, _, operation = name.partition(":")
        parameters = 0 if operation else learnt.pop(path, 0)
        macs = 0 if operation else watch.macs.get(path, 0)
        kind = operation or kinds[path]
        moves = operation or "Pool" in kind
        if parameters or macs or moves:
            rows.append(_organ(name, kind, parameters, macs, positions, watch.shapes[name]))
    idle = [(name, number) for name, number in learnt.items() if number]
    return rows + [Organ(name, kinds[name], {}, number, 0, {}, None) for name, number in idle]


def _organ(
    name: str,
    kind: str,
    parameters: int,
    macs: int,
    positions: Positions | None,
    shape: tuple[int, ...],
) -> Organ:
    if positions is None:
        return Organ(name, kind, {}, parameters, macs, {}, None)
    sizes = {label: positions.size_of(label) for label in SEEN if label in positions.fields}
    features = 1
    for axis in positions.axes:
        for part in axis:
            features *= part.size if part.label == "C" else 1
    output = {"C": features} | {label: size for label, size in sizes.items() if size is not None}
    return Organ(name, kind, output, parameters, macs, positions.seen(), positions)


def _sum(name: str, group: list[Organ]) -> Organ:
    if len(group) == 1 and group[0].name == name:
        return group[0]
    last = next((layer for layer in reversed(group) if layer.positions is not None), group[-1])
    parameters, macs = sum(g.parameters for g in group), sum(g.macs for g in group)
    kind = f"{len(group)} layers"
    return Organ(name, kind, last.output, parameters, macs, last.field, last.positions)
