"""Each row's last valid step."""

import torch

from unrolled.cells import LSTM
from unrolled.layers import Last
from unrolled.models.show_attend_tell import AttentionOutput
from unrolled.recurrence import Recurrence


def test_it_is_the_state_that_a_ragged_lstm_ends_in() -> None:
    cell, lengths = LSTM(3, 5), torch.tensor([4, 7, 1])
    y, state = cell(torch.randn(3, 7, 3), lengths=lengths)
    assert torch.equal(Last()(y, lengths), state.h)
    y, state = cell(torch.randn(3, 7, 3))
    assert torch.equal(Last()(y), state.h)


def test_a_row_without_steps_gives_zeros_whatever_lies_there() -> None:
    y = torch.full((2, 3, 5), torch.nan, requires_grad=True)
    last = Last()(y, torch.tensor([0, 0]))
    assert torch.equal(last, torch.zeros(2, 5))
    last.sum().backward()
    assert torch.equal(y.grad, torch.zeros(2, 3, 5))


def test_gradients_reach_the_picked_steps_alone() -> None:
    y = torch.randn(2, 4, 3, requires_grad=True)
    Last()(y, torch.tensor([2, 4])).sum().backward()
    assert y.grad[..., 0].tolist() == [[0, 1, 0, 0], [0, 0, 0, 1]]


def test_every_part_of_an_output_is_picked() -> None:
    y = AttentionOutput(torch.randn(2, 4, 3), torch.randn(2, 4, 5))
    picked = Last()(y, torch.tensor([1, 3]))
    assert isinstance(picked, AttentionOutput)
    assert torch.equal(picked.weights, torch.stack([y.weights[0, 0], y.weights[1, 2]]))


def test_it_does_not_pretend_to_stream() -> None:
    assert not isinstance(Last(), Recurrence)
    assert Last.__doc__.startswith("Not a Recurrence")
