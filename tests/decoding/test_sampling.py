"""Sampling: the distribution it draws from, and what it returns."""

from itertools import pairwise
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from unrolled.decoding import sample
from unrolled.errors import ConfigError, ShapeError
from unrolled.models import RecurrentLanguageModel, ShowAttendTell
from unrolled.recurrence import Recurrence


class Markov(Recurrence):
    """The next token depends on the last alone; token 2 ends."""

    def __init__(self) -> None:
        super().__init__()
        table = [[0.2, 0.5, 0.3], [0.6, 0.1, 0.3], [0.0, 0.0, 1.0]]
        self.logits = torch.nn.Parameter(torch.tensor(table).log())

    def scan(self, x, state):
        return self.logits[x], state


def test_frequencies_are_the_models() -> None:
    drawn = sample(Markov(), torch.tensor([[0]]), max_length=2, num_samples=20_000)
    pairs = (3 * drawn.tokens[0, :, 0] + drawn.tokens[0, :, 1]).bincount(minlength=9)
    table = Markov().logits.exp()
    expected = (table[0][:, None] * table).flatten() * 20_000
    possible = expected > 0
    chi_squared = ((pairs - expected)[possible] ** 2 / expected[possible]).sum()
    assert pairs[~possible].sum() == 0
    assert chi_squared < 22.5  # the 99.9 % quantile at 6 degrees of freedom


def test_the_log_probability_can_be_recomputed_and_the_stop_token_ends() -> None:
    drawn = sample(Markov(), torch.tensor([[0], [1]]), max_length=6, stop=2, num_samples=50)
    logits = Markov().logits
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
    drawn = sample(Markov(), torch.tensor([[0]]), max_length=4, temperature=1e-3)
    assert drawn.tokens.tolist() == [[[1, 0, 1, 0]]]
    expected = torch.tensor([0.5, 0.6, 0.5, 0.6]).log().sum()
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
        sample(Markov(), prompt, max_length=3, temperature=0)
    with pytest.raises(ConfigError, match="max_length = 0"):
        sample(Markov(), prompt, max_length=0)
    with pytest.raises(ShapeError, match=r"prompt of shape \[B, P\]"):
        sample(Markov(), torch.tensor([0]), max_length=3)
