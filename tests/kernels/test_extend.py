"""How hypotheses of a beam go on, natively, against torch's sorts."""

import pytest
import torch
from torch import Tensor

from tests.kernels.machines import needs_library
from unrolled.kernels import naive
from unrolled.kernels.extend import extend

inf = torch.inf


def drawn(prompts: int, hypotheses: int, each: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Small whole numbers, so that many are equal; some are impossible."""
    following = -torch.randint(4, (prompts, hypotheses, each)).float()
    following[torch.rand(following.shape) < 0.2] = -inf
    tokens = torch.rand(prompts, hypotheses, size).argsort(dim=2)[:, :, :each]
    scores = -torch.randint(3, (prompts, hypotheses)).float()
    scores[torch.rand(scores.shape) < 0.2] = -inf
    return following.sort(dim=2, descending=True)[0], tokens, scores


def assert_equal(found: naive.Extended, expected: naive.Extended) -> None:
    for one, other in zip(found[0] + found[1], expected[0] + expected[1], strict=True):
        assert torch.equal(one, other)


@needs_library
@pytest.mark.parametrize("stops", [[], [2], [0, 3, 4]])
@pytest.mark.parametrize("beam_size", [1, 2, 5, 40])
@pytest.mark.parametrize(("prompts", "hypotheses"), [(1, 1), (3, 4), (64, 5), (0, 2)])
def test_natively_they_go_on_as_by_sorting(prompts, hypotheses, beam_size, stops) -> None:
    size = 9
    each = min(size, beam_size * (1 + len(stops)))
    for _ in range(5):
        given = drawn(prompts, hypotheses, each, size)
        num_live = max(1, min(beam_size, hypotheses * (size - len(stops))))
        options = (torch.tensor(stops, dtype=torch.int64), beam_size, num_live)
        assert_equal(extend(*given, *options), naive.extend(*given, *options))


@pytest.mark.parametrize("way", [naive.extend, pytest.param(extend, marks=needs_library)])
def test_a_step_worked_out_by_hand(way) -> None:
    # Of -1 - 2, -1 - 3 and -2 - 1, -2 - 2 the first two are equal; token 7 stops.
    following = torch.tensor([[[-2.0, -3.0], [-1.0, -2.0]]])
    tokens = torch.tensor([[[7, 5], [6, 3]]])
    found = way(following, tokens, torch.tensor([[-1.0, -2.0]]), torch.tensor([7]), 2, 2)
    live, ended = found
    assert (live.parents.tolist(), live.tokens.tolist()) == ([[0, 1]], [[5, 6]])
    assert live.scores.tolist() == [[-4.0, -3.0]]
    assert (ended.parents.tolist(), ended.tokens.tolist()) == ([[0, 1]], [[7, 6]])
    assert ended.scores.tolist() == [[-3.0, -inf]]


@pytest.mark.parametrize("way", [naive.extend, pytest.param(extend, marks=needs_library)])
def test_what_stops_stands_in_where_nothing_else_goes_on(way) -> None:
    following, tokens = torch.tensor([[[-1.0, -2.0]]]), torch.tensor([[[4, 1]]])
    live, _ = way(following, tokens, torch.zeros(1, 1), torch.tensor([1, 4]), 2, 1)
    assert live.tokens.tolist() == [[4]]
    assert live.scores.tolist() == [[-inf]]


def test_other_numbers_are_sorted_by_torch() -> None:
    following, tokens, scores = drawn(2, 3, 4, 9)
    stops = torch.tensor([1])
    doubled = extend(following.double(), tokens, scores.double(), stops, 2, 2)
    single = naive.extend(following, tokens, scores, stops, 2, 2)
    assert doubled.live.scores.dtype == torch.float64
    assert torch.equal(doubled.live.tokens, single.live.tokens)
