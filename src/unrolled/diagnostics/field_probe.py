"""The receptive field of every layer of a network, measured by gradient."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from unrolled.diagnostics.anatomy import Anatomy, LayerRow
from unrolled.diagnostics.positions import SEEN, Part, Positions


@dataclass(frozen=True)
class Probed:
    """Which stretch of the input the middle of a layer's output sees.

    Args:
        layer: its name.
        expected: first and last position along T, H and W, by formula.
        measured: the same by gradient; None where no gradient arrives.
    """

    layer: str
    expected: dict[str, tuple[int, int]]
    measured: dict[str, tuple[int, int] | None]

    @property
    def agrees(self) -> bool:
        """Whether the two are the same."""
        return self.expected == self.measured


def probe_fields(
    module: nn.Module, table: Anatomy, progress: Callable[[float, str], None] | None = None
) -> Iterator[Probed]:
    """Differentiate the middle of each layer's output by the input, and see where that is not 0.

    A copy is probed whose weights are all positive, with means in the place of maxima and without
    thresholds, so that no path of the network hides another: which positions are connected does
    not depend on the numbers.

    Args:
        module: the network that ``table`` was made of.
        table: its layers, with the receptive fields by formula.
        progress: told the share that is done, and the layer.
    Example:
        >>> from unrolled.diagnostics.anatomy import anatomy
        >>> net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(2))
        >>> probed = list(probe_fields(net, anatomy(net, "CHW", (1, 8, 8))))
        >>> probed[1].measured["H"], all(p.agrees for p in probed)
        ((3, 6), True)
    """
    run, outputs = positive(module), dict[str, Tensor]()
    wanted = [row for row in _moving(table) if ":" not in row.name]
    for row in wanted:
        run.get_submodule(row.name).register_forward_hook(_keep(outputs, row.name))
    x = torch.rand(1, *table.shape, requires_grad=True)
    with torch.enable_grad(), _Linearised():
        run(x)
    for number, row in enumerate(wanted):
        if progress is not None:
            progress(number / len(wanted), row.name)
        if row.positions is not None and row.name in outputs:
            middle = (outputs[row.name] * _middle(row.positions)).sum()
            (gradient,) = torch.autograd.grad(middle, x, retain_graph=True, allow_unused=True)
            yield Probed(row.name, _expected(row.positions), _reached(gradient, table.axes))


def _moving(table: Anatomy) -> Iterator[LayerRow]:
    """Give the rows at which the field changes, and the last one."""
    before = None
    for number, row in enumerate(table.layers):
        fields = None if row.positions is None else row.positions.fields
        if fields is not None and (fields != before or number == len(table.layers) - 1):
            yield row
        before = fields


def positive(module: nn.Module) -> nn.Module:
    """Return a copy that adds up what it sees, with equal weights, in ``eval()``."""
    run = copy.deepcopy(module).eval()
    for name, tensor in (*run.named_parameters(), *run.named_buffers()):
        tensor.requires_grad_(False)
        last = name.rpartition(".")[2]
        if not tensor.is_floating_point():
            continue
        if last.startswith("bias") or last.endswith(("bias", "mean")):
            tensor.zero_()
        elif tensor.ndim > 1:
            tensor.fill_(tensor.shape[0] / tensor.numel())
        else:
            tensor.fill_(1.0)
    return run


def _keep(outputs: dict[str, Tensor], name: str) -> Callable[..., None]:
    def keep(_: nn.Module, __: Any, result: Any) -> None:
        outputs[name] = result[0] if isinstance(result, tuple) else result

    return keep


def _middle(positions: Positions) -> Tensor:
    """Return a mask of the middle position along every axis of the input.

    Where every position sees another stretch, as of a recurrence, it is the last one, which sees
    what all see together.
    """
    mask = torch.ones(())
    for axis in positions.axes:
        along = torch.ones(1)
        for part in axis:
            one = torch.ones(part.size)
            if part.label in SEEN:
                one = F.one_hot(torch.tensor(_place(positions, part)), part.size).float()
            along = torch.outer(along, one).flatten()
        mask = mask[..., None] * along
    return mask


def _place(positions: Positions, part: Part) -> int:
    moves = part.label in positions.fields and positions.fields[part.label].jump
    return part.size // 2 if moves else part.size - 1


def _expected(positions: Positions) -> dict[str, tuple[int, int]]:
    expected = {}
    for label, field in positions.fields.items():
        size = positions.size_of(label)
        expected[label] = field.seen(0 if size is None else size // 2)
    return expected


def _reached(gradient: Tensor | None, axes: str) -> dict[str, tuple[int, int] | None]:
    reached: dict[str, tuple[int, int] | None] = {}
    for number, label in enumerate(axes):
        if label in SEEN:
            where = (
                torch.empty(0)
                if gradient is None
                else gradient[0].movedim(number, 0).flatten(1).abs().amax(1).nonzero().flatten()
            )
            reached[label] = (int(where[0]), int(where[-1])) if len(where) else None
    return reached


_POOLS = {
    torch.max_pool2d: F.avg_pool2d,
    torch.max_pool3d: F.avg_pool3d,
    F.max_pool2d: F.avg_pool2d,
    F.max_pool3d: F.avg_pool3d,
}
_CONVOLUTIONS = (torch.conv1d, torch.conv2d, torch.conv3d)
_THRESHOLDS: set[Any] = {F.relu, F.relu_, F.relu6, F.hardtanh, F.hardtanh_}
_THRESHOLDS |= {torch.relu, torch.relu_, Tensor.relu, Tensor.relu_}


class _Linearised(TorchFunctionMode):
    """Means in the place of maxima, no thresholds, and equal weights used as what they are.

    A product with equal weights is the mean of the features that come in, for every feature that
    goes out; computed so, the largest network is probed in seconds.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _THRESHOLDS:
            return args[0]
        if func in _POOLS:
            names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
            given = dict(zip(names, args[1:], strict=False)) | kwargs
            kept = {name: given[name] for name in names if name in given and name != "dilation"}
            return _POOLS[func](args[0], **kept)
        if func in _CONVOLUTIONS and args[0].shape[1] == args[1].shape[1]:
            x, weight = args[0].mean(1, keepdim=True), args[1][:1, :1] * args[1].shape[1]
            y = func(x, weight, None, *args[3:], **kwargs)
            return y.expand(-1, len(args[1]), *y.shape[2:])
        if func is F.linear:
            mean = args[0].mean(-1, keepdim=True)
            return mean.expand(*mean.shape[:-1], len(args[1]))
        return func(*args, **kwargs)
