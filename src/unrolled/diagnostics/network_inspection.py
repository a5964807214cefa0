"""Everything that `unrolled inspect` shows of a network over whole pictures or clips."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from unrolled.diagnostics.anatomy import Anatomy, LayerRow, anatomy, weightless
from unrolled.diagnostics.field_probe import Probed, probe_fields
from unrolled.diagnostics.network_input import usual_input
from unrolled.diagnostics.slips import SLIPS
from unrolled.diagnostics.specimen import choose_sizes
from unrolled.errors import ShapeError, UnrolledError
from unrolled.recurrence import Recurrence
from unrolled.registry import build
from unrolled.state import first_step, leaves


@dataclass(frozen=True)
class NetworkInspection:
    """A network's layers on an input of one size.

    Args:
        table: its layers.
        probed: receptive fields by gradient, where that was asked for.
        slips: what the lecture decks have wrong about it.
        state_bytes: what a stream carries; None of a network that sees whole inputs only.
    """

    table: Anatomy
    probed: list[Probed]
    slips: tuple[str, ...]
    state_bytes: int | None

    def figures(self) -> dict[str, Any]:
        """Return everything under names that say their units."""
        return {
            "input": dict(zip(self.table.axes, self.table.shape, strict=True)),
            "layers": [_figures(layer) for layer in self.table.layers],
            "parameters": self.table.parameters,
            "macs_per_input": self.table.macs,
            "state_bytes_per_stream": self.state_bytes,
            "probed": [asdict(probed) | {"agrees": probed.agrees} for probed in self.probed],
            "errata": list(self.slips),
        }


def inspect_network(
    name: str,
    module: nn.Module,
    sizes: dict[str, int] | None = None,
    *,
    probe: bool = False,
    progress: Callable[[float, str], None] | None = None,
) -> NetworkInspection:
    """Take a network apart on an input of a size, the one it is published with by default.

    Args:
        name: what it is called in the registry; "" of one that has no name.
        module: the network; its weights are needed for no figure.
        sizes: of the input, by axis, in the order of the tensor, without the batch.
        probe: measure receptive fields too.
        progress: told the share of the probe that is done, and the layer.
    Raises:
        ShapeError: the network does not take such an input.
    Example:
        >>> from unrolled.encoders import SqueezeNet11
        >>> inspect_network("squeezenet1_1", SqueezeNet11()).table.parameters
        1235496
    """
    sizes = sizes or usual_input(name, module)
    try:
        table = anatomy(module, "".join(sizes), tuple(sizes.values()))
    except UnrolledError:
        raise
    except (RuntimeError, ValueError) as error:  # torch's words for an input that does not fit
        given = ", ".join(f"{label}={size}" for label, size in sizes.items())
        reason = " ".join(str(error).split())[:160]
        raise ShapeError(
            f"an input that {name or 'the network'} takes", f"{given}: {reason}"
        ) from None
    probed = list(probe_fields(_on_cpu(module), table, progress)) if probe else []
    return NetworkInspection(table, probed, SLIPS.get(name, ()), _state_bytes(module, sizes))


def _state_bytes(module: nn.Module, sizes: dict[str, int]) -> int | None:
    if not isinstance(module, Recurrence):
        return None
    x = torch.zeros(1, *sizes.values(), device="meta")
    state = weightless(module).state_like(first_step(x, module.stride))
    return sum(leaf.numel() * leaf.element_size() for leaf in leaves(state))


def build_weightless(
    name: str, options: dict[str, Any], input_size: int | None = None
) -> tuple[nn.Module, dict[str, Any]]:
    """Build a named network whose tensors have shapes and no numbers, however large it is.

    Args:
        name: in the registry.
        options: of the network; sizes that it asks for and that are not given are chosen.
        input_size: channels that come in, where the network asks for them.
    Returns:
        the network, and all options that it was built with.
    Example:
        >>> network, options = build_weightless("squeezenet1_1", {})
        >>> next(network.parameters()).device
        device(type='meta')
    """
    known = {} if input_size is None else dict.fromkeys(("input_size", "in_channels"), input_size)
    used, _ = choose_sizes(name, options, known)
    with torch.device("meta"):
        return build(name, **used).eval(), used


def _on_cpu(module: nn.Module) -> nn.Module:
    """Give numbers to tensors that have none; the probe sets them all."""
    if any(tensor.is_meta for tensor in (*module.parameters(), *module.buffers())):
        return module.to_empty(device="cpu")
    return module


def _figures(layer: LayerRow) -> dict[str, Any]:
    return {
        "name": layer.name,
        "kind": layer.kind,
        "output": layer.output,
        "parameters": layer.parameters,
        "macs": layer.macs,
        "receptive_field": layer.field,
    }
