"""The check of gradients against finite differences, in float64."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError, gradcheck

from unrolled.errors import LawError
from unrolled.state import leaves, map_leaves
from unrolled.testing.case import Case


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
    given = [t.detach().clone().requires_grad_() for t in (*case.module.parameters(), *floats)]

    def function(*values: Tensor) -> tuple[Tensor, ...]:
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
        gradcheck(function, given, fast_mode=True)
    except GradcheckError as error:
        reason = str(error).strip().splitlines()[0]
        raise LawError("gradients", "the backward pass", "finite differences", reason) from None
