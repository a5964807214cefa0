"""Plans against the loop, in float64 by torch's own executor: values, states and gradients."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled import cells
from unrolled.kernels import naive
from unrolled.kernels.plan import CACHED_WEIGHTS, Plan
from unrolled.kernels.program import Op, Pointwise, Product, Program
from unrolled.kernels.ragged import Rows
from unrolled.kernels.trace import UnplannableError
from unrolled.recurrence import Recurrence
from unrolled.state import leaves, map_leaves
from unrolled.streaming import Stream

CELLS = [
    name
    for name in cells.__all__
    if not name.endswith("State") and not name.startswith("Conv")  # whose states are maps
]
B, T, C, D = 3, 7, 5, 5


def on_leaves(cell: Recurrence) -> Callable[..., Any]:
    template = cell.initial_state(2)

    def step(inputs: list[Tensor], states: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        following = iter(states)
        y_t, after = cell.step(inputs[0], map_leaves(lambda _: next(following), template))
        return leaves(y_t), leaves(after)

    return step


def planned(cell: Recurrence, cached_weights: int = CACHED_WEIGHTS) -> Plan:
    state = [leaf.float() for leaf in leaves(cell.initial_state(2))]
    step, x = on_leaves(cell.float()), [torch.zeros(2, C)]
    return Plan(step, x, state, list(cell.parameters()), cached_weights=cached_weights)


def longest_first(x: Tensor, lengths: list[int]) -> Tensor:
    return torch.cat(
        [x[[b for b in range(len(x)) if lengths[b] > t], t] for t in range(max(lengths))]
    )


@pytest.mark.parametrize("cached_weights", [CACHED_WEIGHTS, 0], ids=["x inside", "x before"])
@pytest.mark.parametrize("lengths", [[7, 7, 7], [7, 4, 1]], ids=str)
@pytest.mark.parametrize("name", CELLS)
def test_plan_equals_loop_in_float64(name: str, lengths: list[int], cached_weights: int) -> None:
    torch.manual_seed(0)
    cell = getattr(cells, name)(C, D)
    for parameter in cell.parameters():
        torch.nn.init.normal_(parameter, 0, 0.4)
    plan = planned(cell, cached_weights)
    cell = cell.double()
    parameters = list(cell.parameters())
    x = torch.randn(B, T, C, dtype=torch.double, requires_grad=True)
    state = map_leaves(lambda leaf: torch.randn_like(leaf).requires_grad_(), cell.initial_state(B))
    y, after = cell(x, state, lengths=torch.tensor(lengths))
    counts = tuple(sum(length > t for length in lengths) for t in range(T))
    ys, ends = plan.run([longest_first(x, lengths)], leaves(state), parameters, Rows(counts))

    torch.testing.assert_close(ys[0], longest_first(y, lengths), rtol=1e-12, atol=1e-12)
    for got, expected in zip(ends, leaves(after), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)
    weights = [torch.randn_like(leaf) for leaf in (ys[0], *ends)]
    sources = [x, *leaves(state), *parameters]
    gradients = [
        torch.autograd.grad(
            sum((w * v).sum() for w, v in zip(weights, values, strict=True)),
            sources,
            materialize_grads=True,
            allow_unused=True,
        )
        for values in ((ys[0], *ends), (longest_first(y, lengths), *leaves(after)))
    ]
    for got, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-11, atol=1e-11)


class Everything(Recurrence):
    """Uses every operation that has a place in a program, on the state."""

    def __init__(self) -> None:
        super().__init__()
        self.w = torch.nn.Parameter(torch.randn(D, D) / 3)
        self.v = torch.nn.Parameter(torch.rand(D) + 0.5)
        self.alpha = torch.nn.Parameter(torch.tensor(0.7))

    def initial_state(self, batch_size: int) -> Tensor:
        return self.zeros(batch_size, D)

    def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        p = torch.relu(h @ self.w) + torch.abs(h) + 0.5
        q = p.log() + p.sqrt() + p.rsqrt() + p.reciprocal() + p**1.5 + p.square() - p / self.v
        r = torch.exp(-q.clamp(-2, 3)) * torch.erf(h) + h.sin() * h.cos() + h.sign() * self.alpha
        s = torch.where(h > 0.1, r, q) + torch.maximum(h, r) - torch.minimum(q, 2 * x_t)
        u = torch.lerp(s, r, torch.sigmoid(h)) + torch.addcmul(h, p, self.v, value=0.3)
        mean = u.mean(-1, keepdim=True)
        norm = torch.nn.functional.layer_norm(u - mean, (D,), self.v, None)
        soft = torch.nn.functional.softplus(h) + torch.nn.functional.silu(h) + h.expm1()
        leaky = torch.nn.functional.leaky_relu(h, 0.1) + torch.nn.functional.hardtanh(3 * h)
        h = torch.tanh(norm + soft + leaky + (1 - h) + torch.log1p(p) + x_t)
        return torch.cat([h[:, 2:], h[:, :2]], dim=1), h


def test_every_operation_equals_the_loop() -> None:
    torch.manual_seed(0)
    cell = Everything()
    plan = planned(cell)
    cell = cell.double()
    x = torch.randn(B, T, C, dtype=torch.double)
    h = torch.randn(B, D, dtype=torch.double, requires_grad=True)
    y, after = cell(x, h)
    (got,), (end,) = plan.run(
        [x.transpose(0, 1).flatten(0, 1)], [h], list(cell.parameters()), Rows((B,) * T)
    )
    torch.testing.assert_close(got.view(T, B, D).transpose(0, 1), y, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(end, after, rtol=1e-12, atol=1e-12)
    sources = [h, *cell.parameters()]
    expected = torch.autograd.grad((y.square().sum() + after.sum()), sources)
    for one, other in zip(
        torch.autograd.grad(got.square().sum() + end.sum(), sources), expected, strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["LSTM", "GRU", "LayerNormLSTM", "PeepholeLSTM"])
def test_what_training_keeps_of_each_step(name: str) -> None:
    """States and what products gave; an LSTM 6 numbers a unit, where torch's keeps 17 or 18."""
    kept: list[int] = []
    cell = getattr(cells, name)(C, D)
    plan = planned(cell)
    x = torch.randn(T * B, C)

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    state = [torch.zeros(B, leaf.shape[1]) for leaf in leaves(cell.initial_state(2))]
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        plan.run([x], state, list(cell.parameters()), Rows((B,) * T))
    weights = sum(parameter.numel() for parameter in cell.parameters())
    most = {"LSTM": 7, "GRU": 6, "LayerNormLSTM": 14, "PeepholeLSTM": 7}[name]
    first = B * D * len(state)  # states are kept with the one before the first step
    assert sum(kept) <= most * B * T * D + first + 3 * weights + x.numel()


def test_refusals_say_why() -> None:
    class Foreign(Recurrence):
        def initial_state(self, batch_size: int) -> Tensor:
            return torch.zeros(batch_size, D)

        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            h = torch.tanh(h * self.outside + x_t)
            return h, h

    cell = Foreign()
    cell.outside = torch.ones(D)
    with pytest.raises(UnplannableError, match="neither x, state, parameter nor buffer"):
        planned(cell)


@pytest.mark.parametrize("name", [name for name in CELLS if name != "LayerNormLSTM"])
def test_only_products_are_computed_before_the_loop(name: str) -> None:
    """Arithmetic there would go through memory once for every operation, and twice going back."""
    plan = planned(getattr(cells, name)(C, D), cached_weights=0)
    before = [plan.lifted.inputs[number] for number in plan.core.inputs]
    assert before
    for node in before:
        assert node.operation is None or node.name in ("aten.mm.default", "aten.addmm.default")


@pytest.mark.parametrize("name", CELLS)
def test_of_few_weights_nothing_is_computed_before_the_loop(name: str) -> None:
    plan = planned(getattr(cells, name)(C, D))
    assert all(plan.lifted.inputs[number].operation is None for number in plan.core.inputs)


class Joined(Recurrence):
    """One product with state and frame side by side, the state first."""

    def __init__(self) -> None:
        super().__init__()
        self.both = torch.nn.Linear(D + C, D)

    def initial_state(self, batch_size: int) -> Tensor:
        return self.zeros(batch_size, D)

    def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.tanh(self.both(torch.cat([h, x_t], dim=1)))
        return h, h


def test_products_with_the_state_begin_from_those_with_x() -> None:
    """No instruction adds them, and they share one place."""
    core = planned(Joined()).core
    stages = core.training.program.stages
    assert [type(stage) for stage in stages] == [Product, Product, Pointwise]
    first, then, _ = stages
    assert [first.k, then.k] == [C, D]
    assert first.out == then.init == then.out
    assert len(core.early) == 1
    *products, pointwise = planned(Seeing()).core.training.program.stages
    assert len(products) == 2
    assert Op.ADD not in [instruction.op for instruction in pointwise.instructions]


class Seeing(Recurrence):
    """Gives out what its state begins from."""

    def __init__(self) -> None:
        super().__init__()
        self.w = torch.nn.Parameter(torch.randn(C, D) / 3)
        self.u = torch.nn.Parameter(torch.randn(D, D) / 3)

    def initial_state(self, batch_size: int) -> Tensor:
        return self.zeros(batch_size, D)

    def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        seen = x_t @ self.w
        return seen, torch.tanh(seen + h @ self.u)


def test_what_the_state_begins_from_may_be_given_out() -> None:
    torch.manual_seed(0)
    cell, x = Seeing().eval(), torch.randn(B, T, C)
    stream = Stream(cell)
    for t in range(T):
        torch.testing.assert_close(stream.push(x[:, t]), x[:, t] @ cell.w)
    assert stream.is_native
    torch.testing.assert_close(stream.state, cell(x)[1])


@pytest.mark.parametrize("name", ["LSTM", "GRU", "PeepholeLSTM", "CIFG", "LayerNormLSTM"])
def test_products_of_a_step_follow_each_other(name: str) -> None:
    """So that they go by turns; biases are added before, and what is used apart is made apart."""
    stages = planned(getattr(cells, name)(C, D)).whole.core.in_place.program.stages
    products = [place for place, stage in enumerate(stages) if isinstance(stage, Product)]
    assert len(products) > 1
    assert products == [*range(products[0], products[-1] + 1)]


class OfLinears(Recurrence):
    """A step made of what a layer makes of x, and another of h."""

    def __init__(self, width: int, rule: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.w, self.u = torch.nn.Linear(C, width), torch.nn.Linear(D, D)
        self.rule = rule

    def initial_state(self, batch_size: int) -> Tensor:
        return self.zeros(batch_size, D)

    def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.w(x_t)
        return seen, torch.tanh(self.rule(seen, self.u(h)))


@pytest.mark.parametrize(
    ("width", "rule", "count"),
    [
        (D, lambda seen, uh: seen + uh, 2),
        (D, lambda seen, uh: (seen + uh) * seen, 2),
        (2 * D, lambda seen, uh: (seen[:, :D] + uh) * seen[:, D:], 2),
    ],
    ids=["given out", "used again", "of columns"],
)
def test_what_is_used_again_is_computed_once(width: int, rule: Any, count: int) -> None:
    torch.manual_seed(0)
    cell, x = OfLinears(width, rule).eval(), torch.randn(B, T, C)
    stream = Stream(cell)
    for t in range(T):
        torch.testing.assert_close(stream.push(x[:, t]), cell.w(x[:, t]))
    assert stream.is_native
    torch.testing.assert_close(stream.state, cell(x)[1])
    assert _num_products(cell) == count


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        (lambda seen, uh: (seen[:, :D] + uh) * seen[:, D:], 3),
        (lambda seen, uh: seen[:, :D] * uh + seen[:, D:], 2),
        (lambda seen, uh: (seen[:, :D] + uh) * seen[:, 1 : D + 1] * seen[:, D:], 2),
        (lambda seen, uh: (seen[:, :D] + uh) * seen[:, :D], 2),
    ],
    ids=["apart", "no sum", "overlapping", "used again"],
)
def test_a_product_is_taken_apart_only_for_a_sum(rule: Any, count: int) -> None:
    cell = OfLinears(2 * D, rule)
    cell.step = lambda x_t, h: (h, torch.tanh(rule(cell.w(x_t), cell.u(h))))
    assert _num_products(cell) == count


def test_products_with_x_wait_for_no_state() -> None:
    """Also where what they are added to is a sum of several with the state."""
    cell = OfLinears(D, lambda seen, uh: seen + uh)
    cell.u = torch.nn.Linear(2 * D, D)
    cell.step = lambda x_t, h: (h, torch.tanh(cell.w(x_t) + cell.u(torch.cat([h, h.sin()], 1))))
    assert len(planned(cell).core.early) == 1


def _num_products(cell: Recurrence) -> int:
    stages = planned(cell).whole.core.in_place.program.stages
    return sum(isinstance(stage, Product) for stage in stages)


def test_a_gradient_that_two_products_share_is_kept_once() -> None:
    """Of sums with x and with the state: going back, no instruction copies it."""
    run = planned(cells.LSTM(C, D)).core.backward([0])
    assert len(run.groups) == 2
    assert len(set(run.groups)) == 1


def test_gradients_of_x_are_computed_only_where_x_learns() -> None:
    """They are products of their own; x is often data."""
    core = planned(cells.LSTM(C, D)).core
    asked, unasked = core.backward([0]), core.backward([])
    assert len(asked.program.stages) == len(unasked.program.stages) + 1
    assert unasked.input_gradients == [None]
    ran = []

    def execute(
        program: Program,
        tensors: Sequence[Tensor | None],
        matrices: Sequence[Tensor],
        counts: Sequence[int],
    ) -> None:
        ran.append(program)
        naive.run(program, tensors, matrices, counts)

    plan = planned(cell := cells.LSTM(C, D))
    for learns in (False, True):
        x = torch.randn(B * T, C, requires_grad=learns)
        state = leaves(cell.initial_state(B))
        (y,), _ = plan.run([x], state, list(cell.parameters()), Rows((B,) * T), execute)
        y.sum().backward()
    assert [ran[1], ran[3]] == [plan.core.backward([]).program, plan.core.backward([0]).program]


def test_what_an_operation_gives_several_of_is_computed_once() -> None:
    plan = planned(cells.MUT1(C, D))
    ran: list[str] = []
    for recipe in (plan._parts.before, plan._parts.after):
        ran += [str(call.operation) for call in recipe._calls]
    assert [name for name in ran if "split" in name] == ["aten.split.Tensor"]  # W_hh in two
