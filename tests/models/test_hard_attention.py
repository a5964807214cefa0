"""Hard attention: its estimator against every sequence of places, and its draws."""

from itertools import product

import pytest
import torch
from torch import Tensor

from tests.models.captioners import build, some_features, some_words
from unrolled.errors import ConfigError
from unrolled.models import HardShowAttendTell
from unrolled.models.show_attend_tell_hard import HardAttentionOutput

PLACES, WORDS = 3, 4  # 81 sequences of places
UNBIASED = {"entropy": 0.0, "expectation": 0.0, "reinforce": 1.0}


class Led(HardShowAttendTell):
    """A decoder that looks where it is told to: ``places [B, T]``."""

    places: Tensor

    def choose(self, scores: Tensor, seed: Tensor, step: Tensor) -> Tensor:
        del seed
        place = self.places.gather(1, step[:, None]).squeeze(1)
        return torch.nn.functional.one_hot(place, scores.shape[1]).to(scores.dtype)


def task(**options: object) -> tuple[HardShowAttendTell, Tensor, Tensor]:
    """Make a decoder in training, and one caption for one picture."""
    words = some_words(1, WORDS + 1)
    return build("show_attend_tell_hard", **options).train(), words[:, :-1], words[:, 1:]


def remembered(model: HardShowAttendTell) -> HardShowAttendTell:
    return model.given(model.remember(some_features(1, PLACES)))


def gradient(loss: Tensor, model: HardShowAttendTell) -> Tensor:
    parts = torch.autograd.grad(loss, list(model.parameters()))
    return torch.cat([part.flatten() for part in parts])


def led_everywhere(model: HardShowAttendTell, words: Tensor) -> HardAttentionOutput:
    """Run every sequence of places, a row each."""
    model.__class__ = Led
    every = torch.tensor(list(product(range(PLACES), repeat=WORDS)))
    bound = remembered(model)
    vars(bound)["places"] = every
    y, _ = bound(words.expand(len(every), -1))
    return y


def by_enumeration(model: HardShowAttendTell, words: Tensor, targets: Tensor) -> Tensor:
    """Return the true gradient of -(sum over s of p(s) log p(words | s)) a word."""
    y = led_everywhere(model, words)
    chances = (y.weights * y.log_probabilities).sum((1, 2)).exp()
    spoken = y.logits.log_softmax(-1).gather(2, targets.expand(len(chances), -1)[..., None])
    assert (chances.sum() - 1).abs() <= 1e-12
    return gradient(-(chances * spoken.sum((1, 2))).sum() / WORDS, model)


def expected_estimate(model: HardShowAttendTell, words: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of ``objective``'s gradient over all sequences, by their chances."""
    y = led_everywhere(model, words)
    chances = (y.weights * y.log_probabilities).sum((1, 2)).exp().tolist()
    valid, total = torch.ones(1, WORDS, dtype=torch.bool), torch.zeros(())
    baseline = model.baseline.clone()
    for row, chance in enumerate(chances):
        model.baseline.copy_(baseline)
        single = HardAttentionOutput(*(part[row : row + 1] for part in y))
        total = total + chance * model.objective(single, targets, valid).loss
    model.baseline.copy_(baseline)
    return gradient(total, model)


@pytest.mark.parametrize("reward", ["sentence", "words_to_come"])
@pytest.mark.parametrize("baseline", [0.0, -1.7])
def test_the_estimator_is_unbiased(reward: str, baseline: float) -> None:
    model, words, targets = task(reward=reward, **UNBIASED)
    model.baseline.fill_(baseline)
    truth = by_enumeration(model, words, targets)
    assert (expected_estimate(model, words, targets) - truth).abs().max() <= 1e-12
    assert truth.abs().max() > 0.1


@pytest.mark.parametrize("broken", [{"reinforce": 0.0}, {"reinforce": 0.5}, {"entropy": 0.1}])
def test_a_biased_estimator_is_caught(broken: dict[str, float]) -> None:
    model, words, targets = task(**(UNBIASED | broken))
    truth = by_enumeration(model, words, targets)
    assert (expected_estimate(model, words, targets) - truth).abs().max() > 1e-3


def drawn_estimates(model: HardShowAttendTell, words: Tensor, targets: Tensor) -> Tensor:
    """Return the gradients of 30 calls of ``objective`` on 300 sequences of draws each."""
    rows, baseline = 300, model.baseline.clone()
    valid, found = torch.ones(rows, WORDS, dtype=torch.bool), []
    features = some_features(1, PLACES)
    torch.manual_seed(11)
    for _ in range(30):
        model.baseline.copy_(baseline)
        y, _ = model.given(model.remember(features))(words.expand(rows, -1))
        loss = model.objective(y, targets.expand(rows, -1), valid).loss
        found.append(gradient(loss, model))
    return torch.stack(found)


def standard_errors_off(model: HardShowAttendTell, found: Tensor, truth: Tensor) -> float:
    """Return how far the mean of estimates is from the truth, for the parameters that look."""
    looking = [
        torch.full((parameter.numel(),), name.split(".")[0] in ("key", "query", "score"))
        for name, parameter in model.named_parameters()
    ]
    truth = truth * torch.cat(looking)
    along = found @ truth / truth.norm()
    return ((along.mean() - truth.norm()).abs() / (along.std() / len(along) ** 0.5)).item()


def test_what_is_drawn_has_the_right_mean() -> None:
    model, words, targets = task(**UNBIASED)
    model.baseline.fill_(-2.0)
    found = drawn_estimates(model, words, targets)
    assert standard_errors_off(model, found, by_enumeration(model, words, targets)) < 4


def test_draws_of_a_biased_estimator_have_another() -> None:
    model, words, targets = task(**(UNBIASED | {"reinforce": 0.0}))
    found = drawn_estimates(model, words, targets)
    assert standard_errors_off(model, found, by_enumeration(model, words, targets)) > 10


def test_a_baseline_makes_it_vary_less() -> None:
    spreads = []
    for baseline in (0.0, -3.0):
        model, words, targets = task(**UNBIASED)
        model.baseline.fill_(baseline)
        spreads.append(drawn_estimates(model, words, targets).var(0).sum())
    assert spreads[1] < 0.8 * spreads[0]


def test_places_are_drawn_as_often_as_they_are_likely() -> None:
    model, words, _ = task(**UNBIASED)
    rows = 20_000
    with torch.no_grad():
        y, _ = remembered(model)(words[:, :1].expand(rows, -1))
    share, p = y.weights[:, 0].mean(0), y.log_probabilities[0, 0].exp()
    assert ((share - p).abs() < 4 * (p * (1 - p) / rows).sqrt()).all()
    assert set(y.weights.flatten().tolist()) == {0.0, 1.0}


def test_half_of_the_sequences_look_at_the_expectation() -> None:
    model, words, _ = task(expectation=0.5)
    with torch.no_grad():
        y, _ = remembered(model)(words.expand(2000, -1))
    expected = (y.weights - y.log_probabilities.exp()).abs().amax((1, 2)) <= 1e-12
    one_hot = (y.weights.amax(-1) == 1).all(1)
    assert (expected ^ one_hot).all()
    assert abs(expected.double().mean() - 0.5) < 4 * 0.5 / 2000**0.5


def test_a_sequence_that_looks_at_the_expectation_learns_as_soft_attention() -> None:
    model, words, targets = task(expectation=1.0, entropy=0.0)
    valid = torch.ones(1, WORDS, dtype=torch.bool)
    y, _ = remembered(model)(words)
    hard = gradient(model.objective(y, targets, valid).loss, model)
    soft = build("show_attend_tell", doubly_stochastic=0.0)
    soft.load_state_dict({k: v for k, v in model.state_dict().items() if k != "baseline"})
    y, _ = soft.given(soft.remember(some_features(1, PLACES)))(words)
    loss = soft.objective(y, targets, valid).loss
    assert (hard - gradient(loss, soft)).abs().max() <= 1e-12


def test_where_it_looks_depends_on_the_seed_alone() -> None:
    model, words, _ = task(expectation=0.0)
    bound = remembered(model)
    rows = words.expand(64, -1)
    state = bound.initial_state(64)
    assert torch.equal(bound(rows, state)[0].weights, bound(rows, state)[0].weights)
    other, _ = bound(rows, bound.initial_state(64))
    assert not torch.equal(other.weights, bound(rows, state)[0].weights)


def test_in_evaluation_it_looks_at_the_likeliest_place_or_at_the_expectation() -> None:
    model, words, _ = task()
    y, _ = remembered(model.eval())(words)
    assert torch.equal(y.weights.argmax(-1), y.log_probabilities.argmax(-1))
    assert set(y.weights.flatten().tolist()) == {0.0, 1.0}
    model.evaluation = "expectation"
    y, _ = remembered(model)(words)
    assert (y.weights - y.log_probabilities.exp()).abs().max() <= 1e-12


def test_the_baseline_moves_in_training_alone() -> None:
    model, words, targets = task()
    y, _ = remembered(model)(words)
    valid = torch.ones(1, WORDS, dtype=torch.bool)
    model.eval().objective(y, targets, valid)
    assert model.baseline == 0
    first = model.train().objective(y, targets, valid)
    assert first.terms["baseline"] == 0
    assert (model.baseline + 0.1 * first.terms["nats_per_word"]).abs() <= 1e-12
    model.objective(y, targets, valid)
    assert (model.baseline + 0.19 * first.terms["nats_per_word"]).abs() <= 1e-12
    assert "baseline" in model.state_dict()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reward": "all"}, "a reward of sentence or words_to_come, got 'all'"),
        ({"evaluation": "mean"}, "an evaluation of argmax or expectation, got 'mean'"),
        ({"expectation": 1.5}, r"a share of expectation in \[0, 1\], got 1.5"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build("show_attend_tell_hard", **options)
