"""Recall after a lag: the sequences, and what can and cannot be learned from them."""

import pytest
import torch

from unrolled.errors import ConfigError
from unrolled.figures.recall_by_lag import LEARNERS, RECEPTIVE_FIELD
from unrolled.tasks import recall
from unrolled.tasks.recall import CHANCE, Episodes, Learner, learn_to_recall, recall_accuracy

SMALL_TCN = {"kernel_size": 4, "num_levels": 1, "convolutions_per_level": 1}  # sees 4 steps
MARGIN = 0.075  # five standard deviations of chance over 512 sequences


def test_a_sequence_shows_the_symbol_first_asks_last_and_distracts_between() -> None:
    for chunk in Episodes([1, 6], num_batches=5, batch_size=7):
        first, between, last = chunk.x[:, 0], chunk.x[:, 1:-1], chunk.x[:, -1]
        assert (first < recall.NUM_SYMBOLS).all()
        assert (last == recall.QUESTION).all()
        assert ((between > recall.QUESTION) & (between < 17)).all()
        assert chunk.target[:, -1].equal(first)
        assert (chunk.target[:, :-1] < 0).all()
        assert chunk.x.shape[1] in (2, 7)


def test_pieces_are_the_batch_cut_up_and_numbered_anew() -> None:
    whole = Episodes([6], num_batches=3, batch_size=5)
    cut = Episodes([6], num_batches=3, batch_size=5, window=3)
    assert [chunk.number for chunk in cut] == [0, 1, 2] * 3
    for batch in range(3):
        pieces = cut[3 * batch : 3 * batch + 3]
        assert torch.cat([piece.x for piece in pieces], dim=1).equal(whole[batch].x)
        assert torch.cat([piece.target for piece in pieces], dim=1).equal(whole[batch].target)


def test_batches_differ_from_each_other_and_from_another_seed_and_repeat_for_the_same() -> None:
    def tokens(seed: int) -> list[torch.Tensor]:
        return [chunk.x for chunk in Episodes([9], num_batches=2, batch_size=5, seed=seed)]

    assert tokens(0)[1].equal(tokens(0)[1])
    assert not tokens(0)[0].equal(tokens(0)[1])
    assert not tokens(0)[0].equal(tokens(1)[0])


def test_the_loss_is_the_questions_alone_and_0_without_one() -> None:
    (chunk,) = Episodes([4], num_batches=1, batch_size=3)
    logits = torch.randn(3, 5, recall.NUM_SYMBOLS, requires_grad=True)
    rows = torch.arange(3)
    expected = -logits[:, -1].log_softmax(dim=1)[rows, chunk.x[:, 0]].mean()
    assert recall.loss_of(logits, chunk.target).item() == pytest.approx(expected.item(), rel=1e-6)
    nothing = recall.loss_of(logits[:, :-1], chunk.target[:, :-1])
    nothing.backward()
    assert nothing == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_a_tcn_recalls_all_that_it_sees_and_is_at_chance_beyond() -> None:
    learner = Learner("tcn", SMALL_TCN, hidden_size=16)
    within = learn_to_recall(learner, [3], num_batches=80)
    beyond = learn_to_recall(learner, [4], num_batches=80)
    assert recall_accuracy(within, 3) == 1.0
    assert abs(recall_accuracy(beyond, 4) - CHANCE) <= MARGIN


def test_windows_without_the_state_teach_nothing_past_their_end() -> None:
    options = {"forget_bias": 3.0}
    whole = Learner("lstm", options)
    dropped = Learner("lstm", options, window=4, carry_state=False)
    assert recall_accuracy(learn_to_recall(whole, [4], num_batches=80), 4) == 1.0
    assert abs(recall_accuracy(learn_to_recall(dropped, [4], num_batches=80), 4) - CHANCE) <= MARGIN


def test_the_drawn_receptive_field_is_that_of_the_tcn() -> None:
    _, tcn = LEARNERS["TCN"].network().children()
    assert tcn.receptive_field == RECEPTIVE_FIELD


def test_impossible_lags_and_windows_are_refused() -> None:
    for lags, window in (([], None), ([0], None), ([3], 0)):
        with pytest.raises(ConfigError, match="lags and a window of at least 1"):
            Episodes(lags, num_batches=1, batch_size=1, window=window)
