"""Plans of modules that look at a context: rows that stay the same from step to step."""

import pytest
import torch
from torch import Tensor

from tests.kernels.machines import choose, needs_library
from tests.small_cell import B, C, Cell, D, Looking, Picture, T, assert_equals_loop, reason
from unrolled import fused
from unrolled.cells import LSTM
from unrolled.context import group_rows, repeat_rows
from unrolled.kernels.trace import Recipe
from unrolled.layers import Serial
from unrolled.models import ShowAndTell
from unrolled.recurrence import Recurrence
from unrolled.streaming import Stream

pytestmark = needs_library


def picture(rows: int = B, *shape: int) -> Tensor:
    return torch.randn(rows, *(shape or (D,)), requires_grad=True)


@pytest.mark.parametrize(("rows", "batch"), [(3, 3), (1, 3), (2, 6), (1, 1)])
def test_a_context_is_planned_with_its_gradient(rows: int, batch: int) -> None:
    image = picture(rows)
    cell, x = Looking().given(Picture(image)), torch.randn(batch, T, C)
    assert reason(cell, x) == ""
    assert_equals_loop(cell, x, made=(image,))


def test_a_context_that_leads_only_to_the_output_and_one_that_meets_x() -> None:
    class Mixing(Looking):
        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            grouped = group_rows(x_t, len(self.context.image)) * self.context.image[:, None]
            _, h = super().step(grouped.flatten(0, 1), h)
            return h * self.image(self.context.image).exp(), h

    image = picture()
    cell = Mixing().given(Picture(image))
    assert reason(cell) == ""
    assert_equals_loop(cell, made=(image,))


def test_lengths_and_resets_keep_each_row_its_context(monkeypatch: pytest.MonkeyPatch) -> None:
    image, x = picture(2), torch.randn(6, T, C)
    cell = Looking().given(Picture(image))
    lengths, reset = torch.tensor([T, 0, 3, T, 1, 5]), torch.rand(6, T) < 0.3
    assert reason(cell, x) == ""
    found = []
    for isa in ("", "none"):
        choose(isa, monkeypatch)
        y, state = cell(x, torch.ones(6, D), lengths=lengths, reset=reset)
        loss = y.square().sum() + state.sum()
        found.append([y, state, *torch.autograd.grad(loss, [image, *cell.parameters()])])
    for got, expected in zip(*found, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


def test_what_follows_from_a_context_alone_is_computed_once_for_a_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cell, x, sizes = Looking().given(Picture(picture())), torch.randn(B, T, C), []
    cell(x)
    run = Recipe.run

    def counting(recipe, known, batch_size):
        before = {*known}
        run(recipe, known, batch_size)
        products = [node for node in known if node not in before and "mm" in node.name]
        sizes.append((len(products), batch_size))

    monkeypatch.setattr(Recipe, "run", counting)
    cell(x)
    assert sizes[0] == (1, B)  # the product with the image
    assert {size for _, size in sizes[1:]} == {B * T}


def test_another_context_takes_the_plan_and_its_own_values(monkeypatch: pytest.MonkeyPatch) -> None:
    cell, made = Looking(), []
    make = fused._make
    monkeypatch.setattr(fused, "_make", lambda *given: (made.append(given), make(*given))[1])
    for rows in (B, B, 1, 1):
        image = picture(rows)
        assert_equals_loop(cell.given(Picture(image)), made=(image,))
    assert len(made) == 2  # rows of its own, and shared ones, which the plan is compared on too


def test_a_step_that_counts_who_shares_a_row_is_found_out() -> None:
    class Counting(Looking):
        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            copies = len(x_t) // len(self.context.image)  # 1 where the step is traced
            return Cell.step(self, x_t + repeat_rows(self.context.image, len(x_t)) * copies, h)

    cell, x = Counting().given(Picture(picture(2))), torch.randn(4, T, C)
    with pytest.warns(UserWarning, match="the plan of Counting differs from its step"):
        assert "differs from its step" in reason(cell, x)
    assert_equals_loop(cell, x)


def test_rows_that_see_each_other_through_a_context_are_refused() -> None:
    class Averaging(Looking):
        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            mean = self.context.image.mean(dim=0, keepdim=True)
            return Cell.step(self, x_t + mean, h)

    cell = Averaging().given(Picture(picture()))
    assert "rows see each other" in reason(cell)
    assert_equals_loop(cell)


def test_what_is_kept_beside_a_context_is_refused() -> None:
    class Keeping(Looking):
        def given(self, context):
            bound = super().given(context)
            bound.ready = context.image.tanh().mean(dim=0)
            return bound

        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            return Cell.step(self, x_t + self.ready, h)

    cell = Keeping().given(Picture(picture()))
    assert "neither x, state, parameter nor buffer" in reason(cell)
    assert_equals_loop(cell)


def test_contexts_that_no_plan_takes_say_why() -> None:
    places = Looking().given(Picture(picture(B, 2, D)))
    assert reason(places) == "a context is bound that is not of rows [N, n]"

    class Twice(Recurrence):
        def __init__(self) -> None:
            super().__init__()
            self.one = Looking().given(Picture(picture()))
            self.other = Looking().given(Picture(picture()))

        def initial_state(self, batch_size: int) -> Tensor:
            return self.zeros(batch_size, D)

        def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            _, h = self.one.step(x_t, h)
            return self.other.step(x_t, h)

    assert reason(Twice()) == "two contexts are bound"
    model = ShowAndTell(11, 7, embedding_size=3, hidden_size=5)
    words = torch.ones(2, T, dtype=torch.int64)
    bound = model.given(model.remember(torch.randn(2, 13, 7)))
    assert reason(bound, words) == "a context is bound, which its own plain_scan takes"


def test_a_layer_of_a_series_is_planned_with_the_context() -> None:
    image = picture()
    model = Serial(LSTM(C, C), Looking()).given(Picture(image))
    assert_equals_loop(model, made=(image,))
    planned = fused.answers(model)
    assert planned["0"].startswith("planned")
    assert planned["1"].startswith("planned")


@torch.no_grad()
@pytest.mark.parametrize("rows", [1, 2])
def test_a_stream_steps_natively_with_its_context(rows: int) -> None:
    cell, x = Looking().eval().given(Picture(picture(rows))), torch.randn(2, T, C)
    stream = Stream(cell)
    expected, state = cell.plain_scan(x, cell.initial_state(2))
    found = torch.stack([stream.push(x_t) for x_t in x.unbind(1)], dim=1)
    assert stream._stepper is not None
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(stream.state, state, rtol=1e-5, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("rows", [[0, 1], [3], [0, 1, 2, 3], [2, 0]])
def test_some_rows_of_a_stream_see_their_own_context(rows: list[int]) -> None:
    class Beginning(Looking):
        def initial_state(self, batch_size: int) -> Tensor:
            return repeat_rows(self.context.image, batch_size)

    cell, x = Beginning().eval().given(Picture(picture(2))), torch.randn(2, 4, C)
    index = torch.tensor(rows)
    for begins_anew in (False, True):
        one, other = Stream(cell), Stream(cell)
        for stream in (one, other):
            stream.push(x[0])
            if begins_anew:
                stream.reset(index)
        expected = one.push(x[1])[index]
        torch.testing.assert_close(other.push(x[1, index], rows=index), expected)
