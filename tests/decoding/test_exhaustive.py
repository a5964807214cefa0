"""Exhaustive search: all there is, and nothing else."""

from itertools import product

import pytest
import torch

from tests.decoding.models import Markov, captioner, language_model, random_markov, recomputed
from unrolled.decoding import exhaustive_search
from unrolled.decoding.exhaustive import LIMIT
from unrolled.errors import ConfigError


def count(size: int, num_stops: int, length: int) -> int:
    others = size - num_stops
    return sum(others**t * num_stops for t in range(length)) + others**length


@pytest.mark.parametrize("stop", [None, 0, 3, {0, 2}, (0, 1, 2, 3)])
@pytest.mark.parametrize("length", [1, 2, 5])
@pytest.mark.parametrize("make", [language_model, random_markov])
def test_the_probabilities_of_all_hypotheses_sum_to_1(make, stop, length: int) -> None:
    model, prompt = make(4), torch.tensor([[1, 2], [3, 0]])
    num_stops = 0 if stop is None else 1 if isinstance(stop, int) else len(stop)
    total = count(4, num_stops, length)
    found = exhaustive_search(model, prompt, max_length=length, stop=stop, num_hypotheses=total + 3)
    assert (found.lengths > 0).sum(dim=1).tolist() == [total, total]
    sums = found.log_probabilities.exp().sum(dim=1)
    assert torch.allclose(sums, torch.ones_like(sums), rtol=0, atol=1e-12)
    for row in range(2):
        texts = [
            tuple(tokens[:length].tolist())
            for tokens, length in zip(found.tokens[row], found.lengths[row], strict=True)
        ]
        assert len(set(texts[:total])) == total


def test_every_hypothesis_of_a_table_by_hand() -> None:
    table = [[0.2, 0.5, 0.3], [0.7, 0.06, 0.24], [0.0, 0.0, 1.0]]
    found = exhaustive_search(
        Markov(table), torch.tensor([[0]]), max_length=2, stop=2, num_hypotheses=5
    )
    assert found.tokens.tolist() == [[[1, 0], [2, 2], [1, 2], [0, 1], [0, 2]]]
    assert found.lengths.tolist() == [[2, 1, 2, 2, 2]]
    assert found.finished.tolist() == [[False, True, True, False, True]]
    expected = torch.tensor(
        [[0.5 * 0.7, 0.3, 0.5 * 0.24, 0.2 * 0.5, 0.2 * 0.3]], dtype=torch.float64
    )
    assert torch.allclose(found.log_probabilities.exp(), expected)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
def test_it_is_the_maximum_of_a_loop_over_all_texts(alpha: float) -> None:
    model, prompt, stop, length = captioner(3, 1), torch.tensor([[1]]), 2, 3
    scores = {}
    for text in product(range(3), repeat=length):
        ended = text.index(stop) + 1 if stop in text else length
        text = text[:ended]
        with torch.no_grad():
            y, _ = model(torch.tensor([[1, *text[:-1]]]))
        steps = y.logits[0].log_softmax(dim=-1)
        score = sum(steps[t, w].item() for t, w in enumerate(text))
        scores[text] = score / ((5 + ended) / 6) ** alpha
    order = sorted(scores, key=lambda text: (-scores[text], text))
    found = exhaustive_search(
        model,
        prompt,
        max_length=length,
        stop=stop,
        num_hypotheses=len(order),
        length_penalty=alpha,
    )
    texts = [
        tuple(tokens[:length].tolist())
        for tokens, length in zip(found.tokens[0], found.lengths[0], strict=True)
    ]
    assert texts == order


def test_the_log_probabilities_are_the_models() -> None:
    model, prompt = captioner(5, 2), torch.tensor([[1], [4]])
    found = exhaustive_search(
        model, prompt, max_length=4, stop=0, num_hypotheses=9, length_penalty=1.3
    )
    expected = torch.tensor(recomputed(model, prompt, found), dtype=torch.float64)
    assert torch.allclose(found.log_probabilities, expected, rtol=1e-12, atol=0)


def test_too_many_hypotheses_are_refused_with_their_number() -> None:
    model = random_markov(10)
    with pytest.raises(ConfigError, match=rf"at most {LIMIT} hypotheses.*got 1000000 or more"):
        exhaustive_search(model, torch.tensor([[1]]), max_length=6)
    with pytest.raises(ConfigError, match="got 400000 or more"):
        exhaustive_search(model, torch.tensor([[1]] * 4), max_length=5)
    with pytest.raises(ConfigError, match="num_hypotheses of at least 1"):
        exhaustive_search(model, torch.tensor([[1]]), max_length=2, num_hypotheses=0)
