"""Greedy decoding, against a loop that runs the whole text again for every token."""

import pytest
import torch

from tests.decoding.models import Markov, captioner, language_model
from unrolled.decoding import greedy


@pytest.mark.parametrize("make", [lambda: language_model(7), lambda: captioner(7, 2)])
def test_it_is_the_argmax_of_the_whole_text_at_every_step(make) -> None:
    model, text = make(), torch.tensor([[1, 3], [2, 6]])
    found = greedy(model, text, max_length=6)
    for _ in range(6):
        y, _ = model(text)
        last = getattr(y, "logits", y)[:, -1]
        text = torch.cat([text, last.argmax(dim=-1, keepdim=True)], dim=1)
    assert torch.equal(found.tokens[:, 0], text[:, 2:])


def test_of_equals_the_smallest_token_is_taken() -> None:
    found = greedy(Markov([[0.2, 0.4, 0.4]] * 3), torch.tensor([[0]]), max_length=3)
    assert found.tokens.tolist() == [[[1, 1, 1]]]


def test_rows_end_one_by_one() -> None:
    table = [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]  # 0 -> 1 -> 2, which stops
    found = greedy(Markov(table), torch.tensor([[1], [0], [2]]), max_length=9, stop=2)
    assert found.tokens.tolist() == [[[2, 2, 2]], [[1, 2, 2]], [[0, 1, 2]]]
    assert found.lengths.tolist() == [[1], [2], [3]]
    assert found.finished.all()
    assert (found.log_probabilities == 0).all()
