"""The first call of a cell: a plan is made, compared with the step, and nothing else is touched."""

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.small_cell import B, C, Cell, Swapping, T, assert_equals_loop, reason
from unrolled.kernels.plan import Plan


def test_a_gradient_turned_off_inside_is_found_by_the_first_call() -> None:
    class Off(Cell):
        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            with torch.no_grad():
                gate = torch.sigmoid(h)
            h = gate * torch.tanh(self.linear(torch.cat([x_t, h], dim=1)))
            return h, h

    cell = Off()
    with pytest.warns(UserWarning, match="differs from its step"):
        cell(torch.randn(B, T, C))
    assert "differs from its step" in reason(cell)
    assert_equals_loop(cell)


def test_a_replaced_function_is_used_even_where_the_last_one_lay() -> None:
    """A function that is gone may leave its address to the next one."""

    class Chosen(Cell):
        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            h = torch.tanh(self.change(self.linear(torch.cat([x_t, h], dim=1))))
            return h, h

    cell = Chosen()
    for number in range(6):
        cell.change = lambda value, factor=float(number): value * factor
        assert_equals_loop(cell)
        del cell.change


def test_planning_draws_no_numbers_of_the_users() -> None:
    """A step that cannot be planned because it draws has been tried, and must leave no trace."""

    class Noisy(Cell):
        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            h = torch.tanh(torch.dropout(self.linear(torch.cat([x_t, h], dim=1)), 0.5, True))
            return h, h

    cell, x = Noisy(), torch.randn(B, T, C)
    torch.manual_seed(0)
    expected, _ = cell.plain_scan(x, cell.initial_state(B))
    torch.manual_seed(0)
    assert torch.equal(cell.scan(x, cell.initial_state(B))[0], expected)  # the first call
    assert "random" in reason(cell)


def test_the_first_call_is_compared_on_numbers_that_all_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A plan that takes one leaf for another would pass where both hold the same numbers."""
    seen: list[tuple[list[Tensor], list[Tensor]]] = []
    run = Plan.run

    def watched(plan: Plan, inputs: list[Tensor], states: list[Tensor], *rest: Any) -> Any:
        seen.append((inputs, states))
        return run(plan, inputs, states, *rest)

    monkeypatch.setattr(Plan, "run", watched)
    assert reason(Swapping()) == ""
    (x, *_), (a, b) = seen[0]
    drawn = torch.cat([x.flatten(), a.detach().flatten(), b.detach().flatten()])
    assert len(drawn.unique()) == len(drawn)
