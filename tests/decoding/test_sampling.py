"""Sampling: the distribution it draws from, and what it returns."""

from itertools import pairwise
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from tests.decoding.models import Markov, assert_same, captioner, language_model
from unrolled.decoding import greedy, sample, sampled_tokens
from unrolled.errors import ConfigError, ShapeError
from unrolled.models import RecurrentLanguageModel, ShowAttendTell
from unrolled.recurrence import Recurrence

TABLE = [[0.2, 0.5, 0.3], [0.6, 0.1, 0.3], [0.0, 0.0, 1.0]]  # token 2 ends


def chi_squared(drawn: Tensor, expected: Tensor) -> float:
    """Compare draws [R] with probabilities; what is impossible must not be drawn at all."""
    counts, expected = drawn.bincount(minlength=len(expected)), expected * len(drawn)
    possible = expected > 0
    assert counts[~possible].sum() == 0
    return ((counts - expected)[possible] ** 2 / expected[possible]).sum().item()


def test_frequencies_are_the_models() -> None:
    drawn = sample(Markov(TABLE), torch.tensor([[0]]), max_length=2, num_samples=20_000)
    table = torch.tensor(TABLE)
    pairs = 3 * drawn.tokens[0, :, 0] + drawn.tokens[0, :, 1]
    # The 99.9 % quantile at 6 degrees of freedom.
    assert chi_squared(pairs, (table[0][:, None] * table).flatten()) < 22.5


LIKELY = torch.tensor([0.05, 0.3, 0.1, 0.35, 0.2])


# 99.9 % quantiles of chi squared at 4, 3, 2, 1 and 0 degrees of freedom.
QUANTILES = {5: 18.47, 4: 16.27, 3: 13.82, 2: 10.83, 1: 1e-9}


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"top_k": 3}, [1, 3, 4]),
        ({"top_k": 9}, [0, 1, 2, 3, 4]),
        ({"top_p": 0.64}, [1, 3]),
        ({"top_p": 0.66}, [1, 3, 4]),
        ({"top_p": 0.34}, [3]),
        ({"top_p": 0.96}, [0, 1, 2, 3, 4]),
        # Of the three likeliest, 0.35 / 0.85 and 0.3 / 0.85 make 0.76: the third is not needed.
        ({"top_k": 3, "top_p": 0.76}, [1, 3]),
    ],
)
def test_frequencies_are_those_of_the_likeliest_renormalised(options, kept: list[int]) -> None:
    drawn = sample(
        Markov(LIKELY.expand(5, 5)),
        torch.tensor([[0]]),
        max_length=1,
        num_samples=20_000,
        **options,
    )
    expected = torch.zeros(5)
    expected[kept] = LIKELY[kept] / LIKELY[kept].sum()
    assert chi_squared(drawn.tokens[0, :, 0], expected) < QUANTILES[len(kept)]
    scores = LIKELY.log()[drawn.tokens[0, :, 0]].double()  # the model's, not renormalised
    assert torch.allclose(drawn.log_probabilities[0], scores)


def test_frequencies_at_a_temperature() -> None:
    model, prompt = Markov(LIKELY.expand(5, 5)), torch.tensor([[0]])
    drawn = sample(model, prompt, max_length=1, num_samples=20_000, temperature=0.5)
    expected = LIKELY**2 / (LIKELY**2).sum()
    assert chi_squared(drawn.tokens[0, :, 0], expected) < QUANTILES[5]


def test_frequencies_before_min_length_are_those_of_the_others() -> None:
    model, prompt = Markov(LIKELY.expand(5, 5)), torch.tensor([[0]])
    drawn = sample(model, prompt, max_length=2, num_samples=20_000, stop=[1, 3], min_length=2)
    expected = LIKELY.clone()
    expected[[1, 3]] = 0
    assert chi_squared(drawn.tokens[0, :, 0], expected / expected.sum()) < QUANTILES[3]
    assert chi_squared(drawn.tokens[0, :, 1], LIKELY) < QUANTILES[5]


@pytest.mark.parametrize(
    "options",
    [{"temperature": 1e-6}, {"temperature": 1e-300}, {"top_k": 1}, {"top_p": 1e-9}],
    ids=str,
)
@pytest.mark.parametrize("make", [lambda: language_model(7), lambda: captioner(7, 3)])
def test_at_its_limits_sampling_is_greedy(make, options) -> None:
    model, prompt = make(), torch.tensor([[1, 3], [2, 2], [0, 1]])
    ends = {"max_length": 9, "stop": 5, "min_length": 3}
    assert_same(sample(model, prompt, **ends, **options), greedy(model, prompt, **ends))


def test_the_log_probability_can_be_recomputed_and_the_stop_token_ends() -> None:
    drawn = sample(Markov(TABLE), torch.tensor([[0], [1]]), max_length=6, stop=2, num_samples=50)
    logits = Markov(TABLE).logits
    for row, start in enumerate((0, 1)):
        for tokens, length, score, finished in zip(
            drawn.tokens[row],
            drawn.lengths[row].tolist(),
            drawn.log_probabilities[row],
            drawn.finished[row].tolist(),
            strict=True,
        ):
            path = [start, *tokens[:length].tolist()]
            expected = sum(logits[a, b].item() for a, b in pairwise(path))
            assert abs(score.item() - expected) < 1e-5
            assert finished == (path[-1] == 2)
            assert finished or length == 6
            assert (tokens[length:] == 2).all()
            assert 2 not in path[1:-1]


def test_a_low_temperature_takes_the_likeliest_and_scores_by_the_model() -> None:
    drawn = sample(Markov(TABLE), torch.tensor([[0]]), max_length=4, temperature=1e-3)
    assert drawn.tokens.tolist() == [[[1, 0, 1, 0]]]
    expected = torch.tensor([0.5, 0.6, 0.5, 0.6], dtype=torch.float64).log().sum()
    assert torch.allclose(drawn.log_probabilities, expected)


def test_a_seeded_generator_repeats_the_draws() -> None:
    model = RecurrentLanguageModel(11, embedding_size=3, hidden_size=5).eval()
    prompt = torch.randint(11, (3, 4))
    draws = [
        sample(model, prompt, max_length=9, generator=torch.Generator().manual_seed(3)).tokens
        for _ in range(2)
    ]
    assert torch.equal(*draws)


def test_the_prompt_and_the_state_are_gone_on_from() -> None:
    model = RecurrentLanguageModel(11, embedding_size=3, hidden_size=5).eval()
    prompt = torch.randint(11, (2, 6))
    _, state = model(prompt[:, :3])
    scores = [
        sample(model, part, state=s, max_length=5, generator=torch.Generator().manual_seed(1))
        for part, s in ((prompt, None), (prompt[:, 3:], state))
    ]
    assert torch.equal(scores[0].tokens, scores[1].tokens)


def test_samples_share_a_context_row() -> None:
    model = ShowAttendTell(11, 7, embedding_size=3, hidden_size=5, attention_size=2).eval()
    bound = model.given(model.remember(torch.randn(2, 13, 7)))
    drawn = sample(bound, torch.zeros(2, 1, dtype=torch.int64), max_length=4, num_samples=3)
    assert drawn.tokens.shape == (2, 3, 4)


def test_the_given_state_is_left_alone() -> None:
    class Count(NamedTuple):
        steps: Tensor

    class Counter(Recurrence):
        def initial_state(self, batch_size):
            return Count(torch.zeros(batch_size))

        def step(self, x_t, state):
            return torch.zeros(len(x_t), 3), Count(state.steps + 1)

        def step_(self, x_t, state):
            state.steps.add_(1)
            return torch.zeros(len(x_t), 3), state

    state = Count(torch.zeros(1))
    sample(Counter(), torch.tensor([[0]]), state=state, max_length=4)
    assert state.steps.item() == 0


def test_impossible_wishes_are_refused() -> None:
    prompt = torch.tensor([[0]])
    with pytest.raises(ConfigError, match="temperature above 0"):
        sample(Markov(TABLE), prompt, max_length=3, temperature=0)
    for temperature in (float("nan"), float("inf"), -1.0):
        with pytest.raises(ConfigError, match="temperature above 0"):
            next(sampled_tokens(Markov(TABLE), prompt, temperature=temperature))
    with pytest.raises(ConfigError, match="top_k of at least 1"):
        sample(Markov(TABLE), prompt, max_length=3, top_k=0)
    for top_p in (0.0, 1.1, float("nan")):
        with pytest.raises(ConfigError, match="top_p above 0"):
            sample(Markov(TABLE), prompt, max_length=3, top_p=top_p)
    with pytest.raises(ConfigError, match="num_samples of at least 1"):
        sample(Markov(TABLE), prompt, max_length=3, num_samples=0)
    with pytest.raises(ConfigError, match="max_length = 0"):
        sample(Markov(TABLE), prompt, max_length=0)
    with pytest.raises(ShapeError, match=r"prompt of shape \[B, P\]"):
        sample(Markov(TABLE), torch.tensor([0]), max_length=3)
