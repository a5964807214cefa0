"""The running mean, and the last step: two readouts of a whole sequence."""

import torch

from unrolled.layers import Last, RunningMean, RunningMeanState


def test_output_t_is_the_mean_of_the_steps_so_far() -> None:
    x = torch.randn(2, 7, 3, 5, dtype=torch.float64)
    y, state = RunningMean()(x)
    for t in range(7):
        assert (y[:, t] - x[:, : t + 1].mean(1)).abs().max() <= 1e-12
    assert state.step.tolist() == [7, 7]


def test_its_last_valid_output_is_the_mean_of_a_ragged_row() -> None:
    x, lengths = torch.randn(3, 7, 5, dtype=torch.float64), torch.tensor([7, 2, 0])
    y, state = RunningMean()(x, lengths=lengths)
    means = Last()(y, lengths)
    assert (means[0] - x[0].mean(0)).abs().max() <= 1e-12
    assert (means[1] - x[1, :2].mean(0)).abs().max() <= 1e-12
    assert means[2].tolist() == [0.0] * 5
    assert torch.equal(state.step, lengths)


def test_it_counts_beyond_what_a_float_can() -> None:
    before = RunningMeanState(torch.zeros(1, 1), torch.tensor([2**24]))
    assert RunningMean()(torch.ones(1, 3, 1), before)[1].step.tolist() == [2**24 + 3]
