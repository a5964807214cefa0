"""The check of gradients against finite differences, in float64."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError, gradcheck

from unrolled.errors import LawError
from unrolled.state import leaves, map_leaves
from unrolled.testing.case import Case

_VECTORS = 16  # as most cells have no more tensors, each of theirs is one
_ABSOLUTE = 1e-6


def check_gradients(case: Case) -> None:
    """Derivatives by inputs, state, context and parameters equal finite differences."""
    tensors = [*case.module.parameters(), *leaves(case.x)]
    is_float64 = any(tensor.dtype == torch.float64 for tensor in tensors)
    if not is_float64 or case.module.supports.gradient is not True:
        return
    state = case.some_state()
    trees: tuple[Any, ...] = (case.x, state, () if case.context is None else case.context)
    names = [name for name, _ in case.module.named_parameters()]
    floats = [leaf for leaf in leaves(trees) if leaf.is_floating_point()]
    vectors = _Vectors([*case.module.parameters(), *floats])

    def function(*given: Tensor) -> tuple[Tensor, ...]:
        values = vectors.tensors(given)
        replacements = iter(values[len(names) :])
        x, before, context = map_leaves(
            lambda leaf: next(replacements) if leaf.is_floating_point() else leaf, trees
        )
        module = case.module if case.context is None else case.module.given(context)
        parameters = dict(zip(names, values, strict=False))
        y, last = torch.func.functional_call(module, parameters, (x, before))
        results = [*leaves(y), *leaves(last)]
        return tuple(leaf for leaf in results if leaf.is_floating_point())

    try:
        gradcheck(function, vectors.given, atol=_ABSOLUTE, fast_mode=True)
    except GradcheckError as error:
        reason = str(error).strip().splitlines()[0]
        raise LawError("gradients", "the backward pass", "finite differences", reason) from None


class _Vectors:
    """Tensors as a few long vectors: finite differences cost two runs for each of them."""

    def __init__(self, tensors: list[Tensor]) -> None:
        self.shapes = [tensor.shape for tensor in tensors]
        size = -(-len(tensors) // _VECTORS)
        starts = range(0, len(tensors), size)
        self.groups = [range(start, min(start + size, len(tensors))) for start in starts]
        flat = [tensor.detach().flatten() for tensor in tensors]
        self.given = [
            torch.cat([flat[number] for number in group]).requires_grad_() for group in self.groups
        ]

    def tensors(self, given: Sequence[Tensor]) -> list[Tensor]:
        """Cut vectors into the tensors again."""
        found: list[Tensor] = []
        for vector, group in zip(given, self.groups, strict=True):
            shapes = [self.shapes[number] for number in group]
            parts = vector.split([shape.numel() for shape in shapes])
            found += [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]
        return found
