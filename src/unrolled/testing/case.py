"""What every check works on: a module, an input, and the ways to drive one over the other."""

import copy
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

from unrolled.errors import ShapeError
from unrolled.recurrence import Recurrence
from unrolled.state import (
    Tree,
    detach,
    leaves,
    map_leaves,
    named_leaves,
    select_rows,
    time_slice,
    to,
)

AnyRecurrence = Recurrence[Any, Any, Any, Any]


class Run(NamedTuple):
    """What a run gave: outputs, final state, and the gradients of everything by name."""

    y: Any
    state: Any
    gradients: dict[str, Tensor]


@dataclass(frozen=True)
class Case:
    """One module of one dtype, with one input and, where it takes one, a context."""

    module: AnyRecurrence
    x: Any
    context: Any = None
    seed: int = 0
    rounds: int = 3
    _states: dict[bool, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        module: AnyRecurrence,
        x: Tree,
        context: Tree | None,
        dtype: torch.dtype,
        seed: int = 0,
        rounds: int = 3,
    ) -> Self:
        """Copy a module and its tensors to ``dtype``, in eval(), cut off from their graphs."""
        own = copy.deepcopy(module).to(dtype).eval()
        bound = None if context is None else to(detach(context), dtype=dtype)
        return cls(own, to(detach(x), dtype=dtype), bound, seed, rounds)

    @property
    def batch_size(self) -> int:
        """B."""
        return leaves(self.x)[0].shape[0]

    @property
    def num_steps(self) -> int:
        """T."""
        return leaves(self.x)[0].shape[1]

    @property
    def bound(self) -> AnyRecurrence:
        """The module with its context, if it takes one."""
        return self.module if self.context is None else self.module.given(self.context)

    def require_size(self) -> None:
        """Raise ``ShapeError`` for an input too small to tell right from wrong."""
        if self.batch_size < 2 or self.num_steps < 2 * self.module.stride:
            raise ShapeError(
                "x of at least 2 rows and 2 steps (or blocks)",
                f"B={self.batch_size}, T={self.num_steps}",
            )

    def on(self, rows: Tensor) -> "Case":
        """Return the case of some rows, with their contexts."""
        context = None if self.context is None else select_rows(self.context, rows)
        return replace(self, x=select_rows(self.x, rows), context=context)

    def generator(self) -> torch.Generator:
        """Return a generator that gives every check the same draws each time."""
        return torch.Generator().manual_seed(self.seed)

    def some_state(self) -> Any:
        """Return a state in mid-sequence: the one after x has been run once, backwards.

        It is the caller's own, but run only once in ``eval()``, and once in ``train()``.
        """
        mode = self.module.training
        if mode not in self._states:
            backwards = map_leaves(lambda leaf: leaf.flip(1), self.x)
            with torch.no_grad():
                self._states[mode] = detach(call(self.bound, backwards)[1])
        return map_leaves(torch.clone, self._states[mode])

    @property
    def places(self) -> list[int]:
        """Where T can be cut: multiples of the stride, ends left out."""
        return list(range(self.module.stride, self.num_steps, self.module.stride))

    def random_cuts(self, generator: torch.Generator) -> list[int]:
        """Draw some places to cut T at, at least one."""
        draws = torch.rand(len(self.places), generator=generator)
        chosen = (draws < 0.4) | (draws == draws.min())
        return [place for place, take in zip(self.places, chosen.tolist(), strict=True) if take]

    def ways_to_cut(self, generator: torch.Generator) -> list[list[int]]:
        """Return up to ``rounds`` ways to cut T: at random, wherever that does not, and at random.

        Two of them cut everywhere; a short sequence has few ways, and none comes twice.
        """
        ways = [self.random_cuts(generator) for _ in range(self.rounds)]
        if self.rounds > 1:
            ways[1] = [place for place in self.places if place not in ways[0]]
        return [way for number, way in enumerate(ways) if way and way not in ways[:number]]


def call(module: AnyRecurrence, x: Tree, state: Tree | None = None, **ragged: Any) -> Any:
    """Call a module with torch's generator at a fixed seed: a fresh state may be drawn from it."""
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: it formats a stack for every kind of device there might be.
        torch.default_generator.manual_seed(7)
        return module(x, state, **ragged)


def drive(
    module: AnyRecurrence,
    x: Tree,
    state: Tree | None,
    cuts: list[int],
    *,
    lengths: Tensor | None = None,
    reset: Tensor | None = None,
) -> Any:
    """Run x in chunks, cut at ``cuts``, carrying the state across; return (y, state)."""
    num_steps = leaves(x)[0].shape[1]
    outputs = []
    for start, stop in pairwise([0, *cuts, num_steps]):
        y, state = call(
            module,
            time_slice(x, start, stop),
            state,
            lengths=None if lengths is None else (lengths - start).clamp(0, stop - start),
            reset=None if reset is None else reset[:, start:stop],
        )
        outputs.append(y)
    return map_leaves(lambda *pieces: torch.cat(pieces, dim=1), *outputs), state


def run(
    case: Case,
    state: Tree | None,
    cuts: list[int],
    *,
    lengths: Tensor | None = None,
    reset: Tensor | None = None,
) -> Run:
    """Drive a case in chunks and take the gradients of a fixed scalar of y and the last state."""
    x = map_leaves(_leaf, case.x)
    wanted = named_leaves(x, "x")
    if state is not None:
        state = map_leaves(_leaf, state)
        wanted |= named_leaves(state, "initial state")
    wanted |= dict(case.module.named_parameters())
    module = case.module
    if case.context is not None:
        # The context is made by something that learns, here one factor for each of its tensors.
        makers = map_leaves(lambda leaf: torch.ones_like(leaf[:1]).requires_grad_(), case.context)
        wanted |= named_leaves(makers, "context's maker")
        module = module.given(map_leaves(torch.mul, case.context, makers))
    y, last = drive(module, x, state, cuts, lengths=lengths, reset=reset)
    loss = sum((weigh(leaf) for leaf in [*leaves(y), *leaves(last)]), torch.zeros(()))
    wanted = {name: leaf for name, leaf in wanted.items() if leaf.requires_grad}
    gradients: tuple[Tensor | None, ...] = (None,) * len(wanted)
    if loss.requires_grad and wanted:
        gradients = torch.autograd.grad(loss, list(wanted.values()), allow_unused=True)
    found = {
        name: torch.zeros_like(leaf) if gradient is None else gradient
        for (name, leaf), gradient in zip(wanted.items(), gradients, strict=True)
    }
    return Run(detach(y), detach(last), found)


def weigh(leaf: Tensor) -> Tensor:
    """Sum a float leaf under fixed, unequal weights; an integer leaf counts nothing."""
    if not leaf.is_floating_point():
        return torch.zeros(())
    weights = torch.arange(leaf.numel(), dtype=torch.float64).cos().to(leaf.dtype)
    return (leaf.flatten() * weights).sum()


def poison(leaf: Tensor) -> Tensor:
    """Return a tensor that would show: NaN for floats, other values of the same range for ints."""
    if leaf.is_floating_point():
        return torch.full_like(leaf, torch.nan)
    return leaf.max() + leaf.min() - leaf if leaf.numel() else leaf


def _leaf(tensor: Tensor) -> Tensor:
    copied = tensor.detach().clone()
    return copied.requires_grad_() if copied.is_floating_point() else copied
