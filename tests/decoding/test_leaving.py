"""Prompts that are done leave the batch of a beam search, and take their context along."""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from tests.decoding.models import assert_same, rows_of
from unrolled.context import repeat_rows
from unrolled.decoding import beam_search
from unrolled.recurrence import Recurrence

WORDS = torch.tensor([2, 9, 3, 7])


class Limits(NamedTuple):
    words: Tensor  # [N]


class Counting(Recurrence):
    """A model that ends a sentence after as many words as its context says, and counts rows."""

    context_type = Limits

    def __init__(self) -> None:
        super().__init__()
        self.rows_run: list[int] = []

    def initial_state(self, batch_size: int) -> Tensor:
        return torch.zeros(batch_size, dtype=torch.int64)

    def step(self, x_t: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        self.rows_run.append(len(x_t))
        limits = repeat_rows(self.context.words, len(x_t))
        logits = torch.arange(7.0, dtype=torch.float64).repeat(len(x_t), 1)
        logits[:, 0] = torch.where(state >= limits - 1, 90.0, -torch.inf)
        return logits, state + 1


@pytest.mark.parametrize("copies", [1, 2])
def test_nothing_changes_but_the_rows_that_are_run(copies: int) -> None:
    model = Counting().given(Limits(WORDS))
    prompt = torch.zeros(4 * copies, 1, dtype=torch.int64)
    options = {"max_length": 12, "stop": 0, "beam_size": 3}
    found = beam_search(model, prompt, **options)
    rows = model.rows_run[1:]  # without the prompt's
    assert rows[0] == 12 * copies
    assert rows[-1] == 3 * copies  # the longest alone
    assert rows == sorted(rows, reverse=True)
    for row, words in enumerate(WORDS.repeat_interleave(copies)):
        alone = beam_search(Counting().given(Limits(words[None])), prompt[:1], **options)
        assert_same(rows_of(found, row), alone)
        assert (alone.lengths == words).all()


def test_without_a_context_they_leave_too() -> None:
    class Marked(Counting):
        def step(self, x_t: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
            return self.given(Limits(state.remainder(100))).counted(x_t, state)

        def counted(self, x_t: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
            logits, _ = super().step(x_t, state // 100)
            return logits, state + 100

    model = Marked()
    prompt = torch.zeros(4, 1, dtype=torch.int64)
    found = beam_search(model, prompt, state=WORDS.clone(), max_length=12, stop=0, beam_size=3)
    assert found.lengths[:, 0].tolist() == WORDS.tolist()
    assert model.rows_run[1] == 12
    assert model.rows_run[-1] == 3
