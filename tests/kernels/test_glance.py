"""A glance sees whatever a guard would, and keeps no module alive."""

import gc
import weakref
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from unrolled.kernels.glance import guarded
from unrolled.kernels.guards import guard
from unrolled.recurrence import Recurrence

FACTOR = 2.0
TABLE = {"shift": 1.0}


class Inner(nn.Module):
    """Something within, with all kinds of attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.register_buffer("mean", torch.zeros(3))
        self.plain, self.pair, self.items = 0.5, (1, "a"), [1, 2]

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight * FACTOR


def closing_over(cell: list[float]) -> type[Recurrence]:
    factor = 1.0

    def change(value: float) -> None:
        nonlocal factor
        factor = value

    class Closing(Recurrence):
        """A cell whose step reads a closure and globals."""

        changed = staticmethod(change)

        def __init__(self) -> None:
            super().__init__()
            self.inner = Inner()
            self.twice = nn.Sequential(Inner(), nn.ReLU())

        def initial_state(self, batch_size: int) -> Tensor:
            return torch.zeros(batch_size, 3)

        def step(self, x_t: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
            h = self.twice(self.inner(x_t)) * factor + TABLE["shift"] * cell[0]
            return h, h + state

    return Closing


def another_step(self: Recurrence, x_t: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    return self.inner(x_t), state


def rename(tensors: dict[str, Tensor | None]) -> None:
    tensors["renamed"] = tensors.pop("mean")


CHANGES: dict[str, Callable[[nn.Module, list[float]], object]] = {
    "a number": lambda m, _: setattr(m.inner, "plain", 0.25),
    "an equal number of another type": lambda m, _: setattr(m.inner, "pair", (True, "a")),
    "a list in its place": lambda m, _: m.inner.items.append(3),
    "a new attribute": lambda m, _: setattr(m.twice[0], "late", 1),
    "training": lambda m, _: m.twice[1].eval(),
    "a parameter": lambda m, _: setattr(m.inner, "weight", nn.Parameter(torch.ones(3))),
    "one parameter more": lambda m, _: m.inner.register_parameter("late", m.inner.weight),
    "another name": lambda m, _: rename(m.inner._buffers),
    "a tie": lambda m, _: setattr(m.inner, "weight", m.twice[0].weight),
    "no parameter": lambda m, _: setattr(m.inner, "weight", None),
    "a buffer": lambda m, _: m.inner.register_buffer("mean", torch.zeros(3)),
    "frozen": lambda m, _: m.inner.weight.requires_grad_(False),
    "another shape in its place": lambda m, _: setattr(m.inner.weight, "data", torch.ones(4)),
    "another dtype in its place": lambda m, _: m.double(),
    "a child": lambda m, _: m.twice.__setitem__(1, nn.Tanh()),
    "one child more": lambda m, _: m.twice.append(nn.ReLU()),
    "a hook": lambda m, _: m.inner.register_forward_hook(lambda *_: None),
    "its class": lambda m, _: setattr(m, "__class__", closing_over([2.0])),
    "a class like it": lambda m, _: setattr(m, "__class__", type("Like", (type(m),), {})),
    "the step of its class": lambda m, _: setattr(type(m), "step", another_step),
    "what a closure holds": lambda m, _: m.changed(3.0),
    "a list that a closure holds": lambda _, cell: cell.__setitem__(0, 5.0),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_glance_sees_what_a_guard_sees(change: str) -> None:
    cell = [1.0]
    module = closing_over(cell)()
    before = guarded(module)
    assert guarded(module) is before
    CHANGES[change](module, cell)
    now, expected = guarded(module), guard(module)
    assert now is not before
    assert now.key == expected.key
    assert now.refusal == expected.refusal
    assert all(a is b for a, b in zip(now.statics, expected.statics, strict=True))
    assert guarded(module).key == now.key


@pytest.mark.parametrize(("name", "value"), [("FACTOR", 3.0), ("TABLE", {"shift": 2.0})])
def test_a_glance_sees_global_names(monkeypatch, name: str, value: object) -> None:
    module = closing_over([1.0])()
    before = guarded(module)
    monkeypatch.setitem(globals(), name, value)
    assert guarded(module).key == guard(module).key
    assert guarded(module).key != before.key
    monkeypatch.undo()
    assert guarded(module).key == before.key


def test_a_global_dictionary_is_seen_into(monkeypatch) -> None:
    module = closing_over([1.0])()
    before = guarded(module)
    monkeypatch.setitem(TABLE, "shift", 4.0)
    assert guarded(module).key != before.key


def test_a_module_that_knows_itself_is_not_kept_alive() -> None:
    module = closing_over([1.0])()
    module.inner.items.append(module)
    module.own_step = module.step
    guarded(module)
    gone = weakref.ref(module)
    del module
    gc.collect()
    assert gone() is None
