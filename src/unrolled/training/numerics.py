"""Numbers that are not finite: found before they spread, and traced to where they came from."""

from typing import Any

import torch
from torch import Tensor, nn

from unrolled.errors import NumericsError
from unrolled.state import named_leaves
from unrolled.training.truncated_bptt import Chunk


def require_finite(named: dict[str, Tensor], where: str) -> None:
    """Raise ``NumericsError`` naming the first tensor with a NaN or an infinity."""
    for name, tensor in named.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise NumericsError(f"finite numbers in {where}", f"{_count(tensor)} in {name}")


def explain(model: nn.Module, chunk: Chunk, y: Any, loss: Tensor, step: int) -> NumericsError:
    """Return the error for an update that met a bad number: the first place it shows, and rows."""
    places = {f"weight {name}": p.detach() for name, p in model.named_parameters()}
    places |= named_leaves(chunk.x, "input x") | named_leaves(y, "output y") | {"loss": loss}
    places |= {
        f"gradient of {name}": parameter.grad
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    name, tensor = next(
        ((n, t) for n, t in places.items() if t.is_floating_point() and not t.isfinite().all()),
        ("the norm of the gradient", torch.tensor(torch.inf)),
    )
    rows = ""
    if name.startswith(("input", "output")):
        bad = ~tensor.isfinite().flatten(1).all(dim=1)
        rows = f", streams {bad.nonzero().flatten().tolist()}"
    return NumericsError(
        f"finite numbers at step {step}",
        f"{_count(tensor)} in {name}{rows}",
        "lower the learning rate, or mend the data",
    )


def _count(tensor: Tensor) -> str:
    bad = int((~tensor.isfinite()).sum())
    kind = "NaN" if bool(tensor.isnan().any()) else "infinity"
    return kind if tensor.numel() == 1 else f"{kind} ({bad} of {tensor.numel()})"
