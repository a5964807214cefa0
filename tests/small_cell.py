"""Small cells that can be planned, which tests bend in one place each; and how they are held."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from unrolled.context import repeat_rows
from unrolled.recurrence import Recurrence
from unrolled.state import leaves

B, T, C, D = 3, 7, 5, 5


class Cell(Recurrence):
    """h' = tanh(W [x, h] * scale)."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(C + D, D)
        self.scale = 1.0

    def initial_state(self, batch_size: int) -> Tensor:
        return self.zeros(batch_size, D)

    def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.tanh(self.linear(torch.cat([x_t, h], dim=1)) * self.scale)
        return h, h


class Pair(NamedTuple):
    a: Tensor
    b: Tensor


class Swapping(Recurrence):
    """Two leaves that may be one tensor, and that change places."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(C, D)

    def initial_state(self, batch_size: int) -> Pair:
        zeros = self.zeros(batch_size, D)
        return Pair(zeros, zeros)

    def step(self, x_t: Tensor, state: Pair) -> tuple[Tensor, Pair]:
        y = torch.tanh(self.linear(x_t) + state.a - 2 * state.b)
        return y, Pair(state.b, y + state.a)


class Picture(NamedTuple):
    image: Tensor


class Looking(Cell):
    """h' = tanh(W [x, h] * scale + V image), the image that of the row."""

    context_type = Picture

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Linear(D, D, bias=False)

    def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.image(repeat_rows(self.context.image, len(x_t)))
        h = torch.tanh(self.linear(torch.cat([x_t, h], dim=1)) * self.scale + seen)
        return h, h


def reason(cell: Recurrence, x: Tensor | None = None) -> str:
    """Return why a cell is not planned, "" if it is."""
    x = torch.randn(B, T, C) if x is None else x
    found, _ = cell._plan(x, cell.state_like(x[:, 0]))
    return found if isinstance(found, str) else ""


def assert_equals_loop(
    cell: Recurrence, x: Tensor | None = None, state: Any = None, made: tuple[Tensor, ...] = ()
) -> None:
    """Compare values and gradients, by what a context was ``made`` of too, with the loop."""
    x = (torch.randn(B, T, C) if x is None else x).detach().requires_grad_()
    state = cell.state_like(x[:, 0].detach()) if state is None else state
    sources = [x, *made, *(p for p in cell.parameters() if p.requires_grad)]
    results = []
    for scan in (cell.scan, cell.plain_scan):
        torch.manual_seed(0)
        y, after = scan(x, state)
        loss = sum((leaf * leaf.detach().cos()).sum() for leaf in (*leaves(y), *leaves(after)))
        results.append(([y, *leaves(after)], torch.autograd.grad(loss, sources, allow_unused=True)))
    for got, expected in zip(*(values for values, _ in results), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
    for got, expected in zip(*(gradients for _, gradients in results), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)
