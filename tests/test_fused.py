"""Cells built to defeat tracing: planned or not, every answer is that of the loop."""

import gc
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.kernels.machines import choose
from tests.small_cell import B, C, Cell, D, Pair, Swapping, T, assert_equals_loop, reason
from unrolled import cells, fused
from unrolled.models import ShowAndTell
from unrolled.recurrence import Recurrence
from unrolled.state import leaves, map_leaves

SCALE = 2.0


def test_an_ordinary_cell_is_planned() -> None:
    cell = Cell()
    assert reason(cell) == ""
    assert_equals_loop(cell)


def test_a_changed_attribute_changes_the_answer() -> None:
    cell = Cell()
    assert_equals_loop(cell)
    cell.scale = 0.25
    assert_equals_loop(cell)


def test_an_attribute_within_an_object_changes_the_answer() -> None:
    class Options:
        scale = 1.0

    class Configured(Cell):
        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            h = torch.tanh(self.linear(torch.cat([x_t, h], dim=1)) * self.options.scale)
            return h, h

    cell = Configured()
    cell.options = Options()
    cell.options.scale = 1.0
    assert_equals_loop(cell)
    cell.options.scale = 0.25
    assert_equals_loop(cell)


def test_train_and_eval_have_their_own_plans() -> None:
    class Moody(Cell):
        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            h = torch.tanh(self.linear(torch.cat([x_t, h], dim=1)))
            return (h, h) if self.training else (-h, -h)

    cell = Moody()
    assert_equals_loop(cell.train())
    assert_equals_loop(cell.eval())
    assert_equals_loop(cell.train())


def test_a_global_number_changes_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Global(Cell):
        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            h = torch.tanh(self.linear(torch.cat([x_t, h], dim=1)) * SCALE)
            return h, h

    cell = Global()
    assert_equals_loop(cell)
    monkeypatch.setitem(globals(), "SCALE", 0.125)
    assert_equals_loop(cell)


def test_a_closed_over_tensor_is_refused() -> None:
    outside = torch.rand(D)

    class Closed(Cell):
        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            h = torch.tanh(self.linear(torch.cat([x_t, h], dim=1)) * outside)
            return h, h

    cell = Closed()
    assert "neither x, state, parameter nor buffer" in reason(cell)
    assert_equals_loop(cell)
    outside.mul_(0.5)
    assert_equals_loop(cell)


def test_tied_weights_share_their_gradient() -> None:
    class Tied(Recurrence):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(D, D)
            self.second = nn.Linear(D, D)
            self.second.weight = self.first.weight

        def initial_state(self, batch_size: int) -> Tensor:
            return self.zeros(batch_size, D)

        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            h = torch.tanh(self.first(x_t) + self.second(h))
            return h, h

    cell = Tied()
    assert reason(cell) == ""
    assert_equals_loop(cell)
    cell.second.weight = nn.Parameter(torch.randn(D, D))  # no longer tied
    assert_equals_loop(cell)


def test_frozen_parameters_get_no_gradient() -> None:
    cell = Cell()
    assert_equals_loop(cell)
    cell.linear.weight.requires_grad_(False)
    assert_equals_loop(cell)
    cell(torch.randn(B, T, C))[0].sum().backward()
    assert cell.linear.weight.grad is None
    assert cell.linear.bias.grad is not None


def test_a_replaced_parameter_is_used() -> None:
    cell = Cell()
    assert_equals_loop(cell)
    cell.linear.weight = nn.Parameter(torch.randn(D, C + D))
    assert_equals_loop(cell)
    cell.linear = nn.Linear(C + D, D)
    assert_equals_loop(cell)


def test_weight_norm() -> None:
    cell = Cell()
    nn.utils.parametrizations.weight_norm(cell.linear)
    assert reason(cell) == ""
    assert_equals_loop(cell)
    with torch.no_grad():
        cell.linear.parametrizations.weight.original0.mul_(2)
    assert_equals_loop(cell)


def test_hooks_are_heard() -> None:
    cell = Cell()
    assert_equals_loop(cell)
    seen = []
    cell.linear.register_forward_hook(lambda *_: seen.append(1))
    assert "hooks" in reason(cell)
    assert_equals_loop(cell)
    assert len(seen) == 2 * T


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda _x, h: h / len(h), "depends on the batch size"),
        (lambda _x, h: h - h.mean(0, keepdim=True), "not of shape [B, n]"),
        (lambda x, h: h if bool((x > 0).any()) else -h, "a value of a tensor"),
        (lambda _x, h: h * (2.0 if h.sum().item() > 0 else 3.0), "a value of a tensor"),
        (lambda _x, h: torch.dropout(h, 0.5, train=True), "random"),
        (lambda _x, h: h.clone().mul_(2), "in place"),
        (lambda _x, h: h.detach() * h, "detach"),
        (lambda x, h: h + x.flip(0)[:, :D], "might let rows see each other"),
        (lambda _x, h: torch.cumsum(h, 1), "no place in a program"),
    ],
    ids=["size", "mixed", "branch", "item", "dropout", "in place", "detach", "flip", "unknown"],
)
def test_what_no_plan_can_stand_for_is_refused(change: Callable[..., Tensor], why: str) -> None:
    class Bent(Cell):
        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            h = torch.tanh(change(x_t, self.linear(torch.cat([x_t, h], dim=1))))
            return h, h

    cell = Bent()
    assert why in reason(cell)
    assert_equals_loop(cell)


class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ARG004
        return x * 2

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ARG004
        return gradient * 30  # not the derivative, on purpose


def test_a_gradient_of_its_own_is_refused() -> None:
    class Own(Cell):
        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            h = torch.tanh(Double.apply(self.linear(torch.cat([x_t, h], dim=1))))
            return h, h

    cell = Own()
    assert "its gradient is its own" in reason(cell)
    assert_equals_loop(cell)


def test_one_tensor_used_for_two_leaves() -> None:
    cell = Swapping()
    assert reason(cell) == ""
    assert_equals_loop(cell)
    assert_equals_loop(cell, state=Pair(torch.randn(B, D), torch.randn(B, D)))


def test_inference_does_not_mix_states_that_change_places() -> None:
    cell, x = Swapping().eval(), torch.randn(B, T, C)
    state = Pair(torch.randn(B, D), torch.randn(B, D))
    with torch.no_grad():
        for got, expected in zip(
            leaves(cell.scan(x, state)), leaves(cell.plain_scan(x, state)), strict=True
        ):
            torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


def test_state_and_input_of_any_strides() -> None:
    cell = Cell()
    state = torch.randn(D, B).t()
    x = torch.randn(C, T, B).permute(2, 1, 0)
    assert not x.is_contiguous()
    assert_equals_loop(cell, x, state)


def test_weights_written_behind_the_versions_back_are_seen() -> None:
    cell, x = Cell(), torch.randn(B, T, C)
    optimizer = torch.optim.AdamW(cell.parameters(), lr=0.1, fused=True)
    for _ in range(3):
        optimizer.zero_grad()
        cell(x)[0].square().sum().backward()
        optimizer.step()
        assert_equals_loop(cell, x)
    cell.linear.weight.data.mul_(0.5)
    assert_equals_loop(cell, x)
    with torch.inference_mode():
        cell.linear.weight.copy_(torch.randn(D, C + D))
    assert_equals_loop(cell, x)


def test_parameters_made_in_inference_mode() -> None:
    with torch.inference_mode():
        cell = Cell()
        x = torch.randn(B, T, C)
        got, expected = cell.scan(x, cell.initial_state(B)), None
        expected = cell.plain_scan(x, cell.initial_state(B))
    torch.testing.assert_close(got[0], expected[0], rtol=1e-5, atol=1e-5)


def test_other_dtypes_and_autocast_run_in_the_loop() -> None:
    cell = Cell()
    assert reason(cell) == ""
    assert "float64" in reason(cell.double(), torch.randn(B, T, C, dtype=torch.double))
    cell.float()
    with torch.autocast("cpu", torch.bfloat16):
        assert "autocast" in reason(cell)


def test_without_the_native_library_everything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    choose("none", monkeypatch)
    cell = Cell()
    assert "no native library" in reason(cell)
    assert_equals_loop(cell)


def test_another_context_uses_the_plans_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    model, made = ShowAndTell(11, 7, embedding_size=3, hidden_size=5), []
    make = fused._make
    monkeypatch.setattr(fused, "_make", lambda *given: (made.append(given), make(*given))[1])
    for _ in range(3):
        bound = model.given(model.remember(torch.randn(2, 13, 7)))
        expected, _ = bound(torch.ones(2, 4, dtype=torch.int64))
        with torch.no_grad():
            model.cell.weight_hh.mul_(1.5)
        y, _ = bound(torch.ones(2, 4, dtype=torch.int64))
        assert not torch.equal(y.logits, expected.logits)
    assert len(made) == 1


def test_a_module_that_is_gone_takes_its_plans_along() -> None:
    gc.collect()
    before = len(fused._plans)
    cell = Cell()
    cell(torch.randn(B, T, C))
    assert len(fused._plans) == before + 1
    del cell
    gc.collect()
    assert len(fused._plans) == before


@pytest.mark.parametrize("share", [0.0, 0.3])
@pytest.mark.parametrize("name", ["LSTM", "GRU", "MUT2", "LayerNormLSTM"])
def test_lengths_and_resets_at_once(name: str, share: float) -> None:
    """Stretches between resets are rows of their own; some rows have no step at all."""
    torch.manual_seed(0)
    cell = getattr(cells, name)(C, D)
    x = torch.randn(5, 11, C)
    lengths = torch.tensor([11, 0, 6, 1, 9])
    reset = torch.rand(5, 11) < share
    reset[0, 0] = share > 0
    x[2, 6:] = float("nan")
    x.requires_grad_()
    state = map_leaves(torch.randn_like, cell.initial_state(5))
    results = []
    for isa in (None, "none"):
        with pytest.MonkeyPatch.context() as patch:
            if isa:
                choose(isa, patch)
            y, after = cell(x, state, lengths=lengths, reset=reset)
            loss = y.square().sum() + sum(leaf.sum() for leaf in leaves(after))
            gradients = torch.autograd.grad(loss, [x, *cell.parameters()])
            results.append([y, *leaves(after), *gradients])
    for got, expected in zip(*results, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("length", [1, 4, 7])
def test_rows_that_are_all_as_long_are_cut_and_not_gathered(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell, x = Cell(), torch.randn(B, T, C)
    x[:, length:] = torch.nan
    x.requires_grad_()
    assert reason(cell, x) == ""
    y, state = cell(x[:, :length].detach())
    monkeypatch.setattr(fused, "take", None)
    got, after = cell(x, lengths=torch.full((B,), length))
    torch.testing.assert_close(got, torch.cat([y, torch.zeros(B, T - length, D)], dim=1))
    torch.testing.assert_close(after, state)
    (gradient,) = torch.autograd.grad(got.sum() + after.sum(), [x])
    assert gradient[:, :length].all()
    assert not gradient[:, length:].any()


def test_the_gradient_of_a_matrix_for_x_and_the_state_is_put_together_once() -> None:
    y, _ = Cell()(torch.randn(B, T, C))
    found, todo = set(), [y.grad_fn]
    while todo:
        node = todo.pop()
        if node not in (None, *found):
            found.add(node)
            todo += [before for before, _ in node.next_functions]
    names = [node.name() for node in found]
    assert names.count("SplitWithSizesBackward0") == 1
    assert not [name for name in names if name.startswith("Slice")]


def test_every_row_has_its_own_last_state_whatever_the_order_of_lengths() -> None:
    cell, x = Cell(), torch.randn(4, T, C)
    lengths = torch.tensor([2, 7, 1, 4])  # sorted, an order that is not its own inverse
    y, state = cell(x, lengths=lengths)
    for row, length in enumerate(lengths):
        torch.testing.assert_close(state[row], y[row, length - 1])


@pytest.mark.parametrize("turned", [True, False])
def test_columns_of_a_product_that_nothing_uses_have_no_gradient(turned: bool) -> None:
    class Idle(Cell):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(3 * D, D) if turned else torch.randn(D, 3 * D))

        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            product = h @ (self.weight.t() if turned else self.weight)
            a, _, b = product.chunk(3, dim=1)
            h = torch.tanh((x_t + a) * (x_t - 1 + b))
            return h, h

    cell = Idle()
    assert reason(cell) == ""
    assert_equals_loop(cell)


def test_ten_thousand_steps_stay_finite() -> None:
    cell = cells.LSTM(C, D)
    x = torch.randn(2, 10_000, C)
    y, _ = cell(x)
    y.sum().backward()
    assert y.isfinite().all()
    assert all(p.grad.isfinite().all() for p in cell.parameters())
