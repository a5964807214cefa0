"""How far a plan is from the step that it stands for: asked once, before it is used."""

from collections.abc import Sequence

import torch
from torch import Tensor

from unrolled.kernels.loop import Execute
from unrolled.kernels.plan import Plan
from unrolled.kernels.ragged import Rows
from unrolled.kernels.trace import Step

_STEPS = 3


def difference_of(
    plan: Plan,
    step: Step,
    inputs: Sequence[Tensor],
    states: Sequence[Tensor],
    statics: Sequence[Tensor],
    execute: Execute,
    shared: bool,
) -> float:
    """Return how far a plan is from the loop over the step, values and gradients, at most.

    Args:
        plan: of the step.
        step: as for the plan; or as it is where every two rows have those leaves in common that do
            not change from step to step.
        inputs: leaves like x ``[B, T, ...]``; numbers are drawn, tokens are those that came.
        states: leaves like those of the state.
        statics: every tensor that the step may use besides.
        execute: runs the programs.
        shared: whether they have.
    """
    generator = torch.Generator().manual_seed(0)  # one for all, so that no two draws are equal
    size, apart = 4 if shared else 2, len(inputs) - plan.num_given
    drawn = [_repeated(leaf.detach(), size, generator) for leaf in inputs[:apart]]
    given = [_repeated(leaf.detach(), 2, generator)[0] for leaf in inputs[apart:]]
    given = [leaf.repeat_interleave(size // 2, dim=0) for leaf in given]
    first = [torch.rand(size, *leaf.shape[1:], generator=generator) for leaf in states]
    learnt = [s for s in statics if s.requires_grad and s.is_leaf]
    with torch.inference_mode(False), torch.enable_grad():
        first = [leaf.requires_grad_(bool(learnt)) for leaf in first]
        rows = Rows((size,) * _STEPS)
        flat = [leaf.flatten(0, 1) for leaf in drawn]
        ys, after = plan.run(flat + given, first, statics, rows, execute)
        expected, end = [], list(first)
        for t in range(_STEPS):
            y_t, end = step([leaf[t] for leaf in drawn] + given, end)
            expected.append(y_t)
        wanted = [torch.cat(list(column)) for column in zip(*expected, strict=True)] + end
        sources = [*learnt, *first] if learnt else []
        return _farthest([*ys, *after], wanted, sources, generator)


def _repeated(leaf: Tensor, num_rows: int, generator: torch.Generator) -> Tensor:
    """Return [steps, rows, ...] like a leaf of x."""
    size = _STEPS, num_rows, *leaf.shape[2:]
    if leaf.is_floating_point():
        return torch.rand(size, generator=generator)
    return leaf.flatten(0, 1)[:1].expand(size).clone()


def _farthest(
    got: list[Tensor], wanted: list[Tensor], sources: list[Tensor], generator: torch.Generator
) -> float:
    pairs = list(zip(got, wanted, strict=True))
    if sources and any(tensor.requires_grad for tensor in wanted):
        weights = [torch.rand(tensor.shape, generator=generator) for tensor in wanted]
        gradients = [
            torch.autograd.grad(
                _weighted(tensors, weights), sources, allow_unused=True, materialize_grads=True
            )
            for tensors in (got, wanted)
        ]
        pairs += list(zip(*gradients, strict=True))
    differences = [
        float((one - other).abs().max() / other.abs().max().clamp_min(1e-3))
        for one, other in ((a.detach(), b.detach()) for a, b in pairs)
        if other.is_floating_point() and other.numel()
    ]
    return max((d if d == d else float("inf") for d in differences), default=0.0)


def _weighted(tensors: list[Tensor], weights: list[Tensor]) -> Tensor:
    """Return a number; autograd takes the gradient of one without importing half of torch."""
    pairs = zip(tensors, weights, strict=True)
    return torch.stack([(t * w).sum() for t, w in pairs if t.is_floating_point()]).sum()
