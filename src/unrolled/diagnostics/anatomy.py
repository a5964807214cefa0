"""A network over whole clips or pictures, layer by layer: sizes, products, and what each sees."""

import copy
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from unrolled.diagnostics.census import macs_of
from unrolled.diagnostics.positions import SEEN, Positions
from unrolled.diagnostics.tracking import Tracker
from unrolled.recurrence import Recurrence
from unrolled.state import first_step

ModuleT = TypeVar("ModuleT", bound=nn.Module)
_SIZES = ("C", *SEEN)


@dataclass(frozen=True)
class LayerRow:
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

    layers: list[LayerRow]
    axes: str
    shape: tuple[int, ...]

    @property
    def axes_of_outputs(self) -> tuple[str, ...]:
        """The axes that some output has, in the order in which sizes are written."""
        return tuple(a for a in _SIZES if any(a in layer.output for layer in self.layers))

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
        groups: dict[str, list[LayerRow]] = {}
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
    # Before the watch, because it may run layers to find their sizes.
    state = (run.state_like(first_step(x, run.stride)),) if isinstance(run, Recurrence) else ()
    for name, layer in run.named_modules():
        watch.over(name, layer)
    with watch:
        watch.begin(x, "B" + axes)
        run(x, *state)
    return Anatomy(_rows(run, watch), axes, shape)


def weightless(module: ModuleT) -> ModuleT:
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
        self.leaves: set[str] = set()

    def over(self, name: str, layer: nn.Module) -> None:
        """Hook a layer, for good: the tree is a copy."""
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

        layer.register_forward_pre_hook(enter)
        layer.register_forward_hook(leave)

    def note(self, func: Any, args: Any, kwargs: dict[str, Any], result: Any) -> None:
        """Count an operation for the layer at work."""
        super().note(func, args, kwargs, result)
        name = self.inside[-1] if self.inside else ""
        if macs := macs_of(func, args, kwargs, result):
            self.macs[name] = self.macs.get(name, 0) + macs
        operation = func._overloadpacket.__name__.removesuffix("_with_indices").lstrip("_")
        if name in self.leaves or not ("pool" in operation or operation in ("mean", "amax")):
            return
        before, y = self.positions(args[0]), result[0] if isinstance(result, tuple) else result
        after = self.positions(y)
        if before is not None and after is not None and before.fields != after.fields:
            self.seen[f"{name}:{operation}"] = after


def _rows(module: nn.Module, watch: _Watch) -> list[LayerRow]:
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
            rows.append(_row(name, kind, parameters, macs, positions))
    idle = [(name, number) for name, number in learnt.items() if number]
    return rows + [LayerRow(name, kinds[name], {}, number, 0, {}, None) for name, number in idle]


def _row(
    name: str,
    kind: str,
    parameters: int,
    macs: int,
    positions: Positions | None,
) -> LayerRow:
    if positions is None:
        return LayerRow(name, kind, {}, parameters, macs, {}, None)
    sizes = {label: positions.size_of(label) for label in SEEN if label in positions.fields}
    features = 1
    for axis in positions.axes:
        for part in axis:
            features *= part.size if part.label == "C" else 1
    output = {"C": features} | {label: size for label, size in sizes.items() if size is not None}
    seen = {label: field.size for label, field in positions.fields.items()}
    return LayerRow(name, kind, output, parameters, macs, seen, positions)


def _sum(name: str, group: list[LayerRow]) -> LayerRow:
    if len(group) == 1 and group[0].name == name:
        return group[0]
    last = next((layer for layer in reversed(group) if layer.positions is not None), group[-1])
    parameters, macs = sum(g.parameters for g in group), sum(g.macs for g in group)
    kind = f"{len(group)} layers" if len(group) > 1 else group[0].kind
    return LayerRow(name, kind, last.output, parameters, macs, last.field, last.positions)
