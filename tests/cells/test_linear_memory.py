"""The linear memory adds up, exactly."""

import torch

from tests.cells.parity import double
from unrolled.cells import LinearMemory, LinearMemoryState


def test_it_adds_up_to_the_bit() -> None:
    cell = LinearMemory(7, 7)
    torch.nn.init.eye_(cell.weight_ih)
    x, c = torch.randn(3, 100, 7), torch.randn(3, 7)
    y, state = cell(x, LinearMemoryState(c))
    for t in range(100):
        c = c + x[:, t]
        assert torch.equal(y[:, t], c)
    assert torch.equal(state.c, c)


def test_the_gradient_by_any_earlier_memory_is_exactly_one() -> None:
    cell = LinearMemory(5, 7)
    c = torch.randn(3, 7, requires_grad=True)
    _, state = cell(torch.randn(3, 1000, 5), LinearMemoryState(c))
    (gradient,) = torch.autograd.grad(state.c.sum(), c)
    assert torch.equal(gradient, torch.ones(3, 7))


def test_another_w_is_applied_once_a_step() -> None:
    cell = LinearMemory(5, 7, recurrent_init="uniform").double()
    x, c = double(3, 4, 5), double(3, 7)
    _, state = cell(x, LinearMemoryState(c))
    for t in range(4):
        c = c @ cell.weight_hh.T + x[:, t] @ cell.weight_ih.T
    assert (state.c - c).abs().max() <= 1e-12


def test_in_low_precision_small_terms_are_not_lost() -> None:
    cell = LinearMemory(1, 1).bfloat16()
    torch.nn.init.ones_(cell.weight_ih)
    _, state = cell(torch.ones(1, 1000, 1, dtype=torch.bfloat16))
    assert state.c.item() == 1000  # bfloat16 alone stops at 256
