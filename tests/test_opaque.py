"""Compiled modules: one graph, one operation for a planned recurrence, and the same answers."""

import gc
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jaxtyping
import pytest
import torch
from torch import Tensor, fx, nn

from tests import forked
from tests.small_cell import B, C, Cell, D, T
from unrolled import opaque
from unrolled.cells import GRU, ConvLSTM, PeepholeLSTM
from unrolled.errors import ConfigError
from unrolled.layers import CausalConv1d, Serial
from unrolled.models import RecurrentLanguageModel
from unrolled.recurrence import Recurrence
from unrolled.state import leaves, map_leaves


@pytest.fixture(autouse=True)
def _nothing_compiled_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Torch cannot trace what checks shapes.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    yield
    torch.compiler.reset()


class Counting:
    """A backend that runs graphs as they are, and counts our operations in each of them."""

    def __init__(self) -> None:
        self.operations: list[int] = []

    def __call__(self, graph: fx.GraphModule, _: list[Tensor]) -> Callable[..., Any]:
        targets = [node.target for node in graph.graph.nodes]
        self.operations.append(targets.count(torch.ops.unrolled.scan))
        return graph


def compiled(module: nn.Module, backend: Any = "eager") -> Any:
    return torch.compile(module, backend=backend, fullgraph=True)


def assert_same(module: Recurrence, run: Any, x: Tensor, state: Any = None) -> None:
    """Compare values and gradients of ``run`` with those of the module that is not compiled."""
    state = module.state_like(x[:, : module.stride].squeeze(1)) if state is None else state
    state = map_leaves(lambda leaf: leaf.clone().requires_grad_(leaf.is_floating_point()), state)
    x = x.clone().requires_grad_(x.is_floating_point())
    sources = [t for t in (x, *leaves(state), *module.parameters()) if t.requires_grad]
    results = []
    for function in (run, module):  # in this order: a plan is there or is made by the operation
        y, after = function(x, state)
        outputs = [*leaves(y), *leaves(after)]
        loss = sum((t * t.detach().cos()).sum() for t in outputs if t.requires_grad)
        gradients = torch.autograd.grad(loss, sources, allow_unused=True, materialize_grads=True)
        results.append([*outputs, *gradients])
    for got, expected in zip(*results, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_compiled_cell_gives_what_it_gives(backend: str) -> None:
    module = PeepholeLSTM(C, D)
    run = compiled(module, backend)
    assert_same(module, run, torch.randn(B, T, C))
    with torch.no_grad():
        x = torch.randn(B, T, C)
        torch.testing.assert_close(run(x)[0], module(x)[0])


def test_a_model_is_one_graph_with_one_operation_a_cell() -> None:
    counting = Counting()
    model = RecurrentLanguageModel(11, embedding_size=3, hidden_size=5, num_layers=2)
    run = compiled(model, counting)
    assert_same(model, run, torch.randint(11, (B, T)))
    assert counting.operations == [2]


def test_other_batch_sizes_and_lengths_share_one_more_graph() -> None:
    counting = Counting()
    module = PeepholeLSTM(C, D)
    run = compiled(module, counting)
    for batch_size, num_steps in ((3, 7), (2, 11), (5, 13), (7, 6)):
        assert_same(module, run, torch.randn(batch_size, num_steps, C))
    assert counting.operations == [1, 1]


def test_with_every_size_left_open() -> None:
    module = GRU(C, D)
    run = torch.compile(module, backend="aot_eager", fullgraph=True, dynamic=True)
    assert_same(module, run, torch.randn(B, T, C))


def test_a_stride_inside() -> None:
    model = Serial(CausalConv1d(3, C, kernel_size=2, stride=2), GRU(C, D))
    assert_same(model, compiled(model), torch.randn(2, 12, 3))


def test_lengths_and_resets_break_the_graph_and_give_what_they_give() -> None:
    module, x = GRU(C, D), torch.randn(B, T, C)
    run = torch.compile(module, backend="eager")
    reset = torch.rand(B, T) < 0.3
    for lengths in (torch.tensor([T, 2, 5]), torch.tensor([0, T, 4])):
        results = []
        for function in (run, module):
            y, _ = function(x, lengths=lengths, reset=reset)
            results.append([y, *torch.autograd.grad(y.square().sum(), list(module.parameters()))])
        for got, expected in zip(*results, strict=True):
            torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


def test_torch_finds_nothing_wrong_with_the_operations() -> None:
    module = PeepholeLSTM(C, D)
    x, state = torch.randn(B, T, C), module.initial_state(B)
    number = opaque.operation_of(module, opaque.pattern(x, 2), opaque.pattern(state, 1))
    statics = list(module.parameters())
    given = [x.requires_grad_()], [leaf.requires_grad_() for leaf in state], statics
    torch.library.opcheck(torch.ops.unrolled.scan.default, (number, *given))
    plain = [[tensor.detach() for tensor in part] for part in given]
    gradients = [torch.randn(T, B, D), torch.randn(B, D), torch.randn(B, D)]
    needed = [True, False, True, *(True for _ in statics)]
    torch.library.opcheck(
        torch.ops.unrolled.scan_backward.default, (number, gradients, *plain, needed)
    )


@pytest.mark.parametrize(
    ("module", "x"),
    [
        (GRU(C, D).double(), torch.randn(B, T, C, dtype=torch.double)),
        (ConvLSTM(2, 3, kernel_size=3), torch.randn(2, 5, 2, 3, 3)),
    ],
    ids=["float64", "a state of pictures"],
)
def test_what_has_no_plan_is_traced_as_its_loop(module: Recurrence, x: Tensor) -> None:
    counting = Counting()
    assert_same(module, compiled(module, counting), x)
    assert counting.operations == [0]


def test_a_second_derivative_is_refused_in_words() -> None:
    module, x = GRU(C, D), torch.randn(B, T, C, requires_grad=True)
    y, _ = compiled(module)(x)
    (gradient,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match=r"backward through unrolled\.scan_backward"):
        gradient.sum().backward()


def test_a_changed_attribute_changes_the_answer() -> None:
    cell, x = Cell(), torch.randn(B, T, C)
    run = compiled(cell)
    assert_same(cell, run, x)
    cell.scale = 0.25
    assert_same(cell, run, x)
    cell.linear = nn.Linear(C + D, D)
    assert_same(cell, run, x)
    cell.linear.weight.requires_grad_(False)
    assert_same(cell, run, x)


def test_weights_written_in_place_are_seen() -> None:
    cell, x = Cell(), torch.randn(B, T, C)
    run = compiled(cell, "aot_eager")
    optimizer = torch.optim.SGD(cell.parameters(), lr=0.1)
    for _ in range(2):
        assert_same(cell, run, x)
        run(x)[0].square().sum().backward()
        optimizer.step()


class Late(Cell):
    """Refuses, or changes its output, once ``mood`` says so, as dynamo cannot know."""

    mood = ""

    def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        y, h = super().step(x_t, h)
        if self.mood == "wide":
            return torch.cat([y, y], dim=1), h
        return y, torch.cumsum(h, 1) if self.mood == "unplannable" else h


@pytest.mark.parametrize(
    ("mood", "got"), [("wide", "an output of another shape"), ("unplannable", "no plan, since")]
)
def test_a_change_that_the_graph_cannot_follow_is_an_error(mood: str, got: str) -> None:
    cell, x = Late(), torch.randn(B, T, C)
    run = compiled(cell)
    run(x)
    cell.mood = mood
    with pytest.raises(ConfigError, match=rf"{got}.*call torch\.compiler\.reset\(\)"):
        run(x)
    torch.compiler.reset()
    torch.testing.assert_close(run(x)[0], cell(x)[0])


def test_an_operation_of_a_module_that_is_gone() -> None:
    module, x = Cell(), torch.randn(B, T, C)
    state = module.initial_state(B)
    number = opaque.operation_of(module, opaque.pattern(x, 2), opaque.pattern(state, 1))
    weights = list(module.parameters())
    torch.ops.unrolled.scan(number, [x], [state], weights)
    del module
    gc.collect()
    with pytest.raises(ConfigError, match="one that is gone"):
        torch.ops.unrolled.scan(number, [x], [state], weights)


class Two(NamedTuple):
    h: Tensor
    x: Tensor


class Telling(Recurrence):
    """Tied weights, a buffer, x of two parts, and an output of two, one of them x itself."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(D, D)
        self.second = nn.Linear(D, D)
        self.second.weight = self.first.weight
        self.register_buffer("scale", torch.rand(D))

    def initial_state(self, batch_size: int) -> tuple[Tensor]:
        return (self.zeros(batch_size, D),)

    def step(self, x_t: Two, state: tuple[Tensor]) -> tuple[Two, tuple[Tensor]]:
        h = torch.tanh(self.first(x_t.h) * self.scale + self.second(state[0]) + x_t.x)
        return Two(h, x_t.x), (h,)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_trees_and_tied_weights(backend: str) -> None:
    module, counting = Telling(), Counting()
    x = Two(*(torch.randn(B, T, D, requires_grad=True) for _ in range(2)))
    results = []
    for run in (module, compiled(module, backend), compiled(module, counting)):
        y, (h,) = run(x)
        assert isinstance(y, Two)
        loss = (y.h * y.x.cos() + h[:, None]).sum()
        results.append([*y, h, *torch.autograd.grad(loss, [*x, *module.parameters()])])
    for result in results[1:]:
        torch.testing.assert_close(result, results[0], rtol=1e-5, atol=1e-5)
    assert counting.operations == [1]


def test_modules_that_are_not_compiled_load_no_compiler() -> None:
    code = (
        "import sys, torch; from unrolled.cells import GRU; "
        "y, _ = GRU(3, 5)(torch.zeros(2, 8, 3)); y.sum().backward(); "
        "print('torch._dynamo' in sys.modules)"
    )
    done = forked.run("-c", code, light=True)
    assert done.stdout.strip() == "False"
