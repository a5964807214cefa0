"""What holds for every captioner: the picture, the loss, the search, the sizes."""

import pytest
import torch
from torch import Tensor

from tests.decoding.models import assert_same, recomputed, rows_of
from tests.models.captioners import ATTENDING, FILMS, PICTURES, build, some_features, some_words
from unrolled.cells import LSTMState
from unrolled.decoding import beam_search, exhaustive_search, greedy, sample
from unrolled.diagnostics.inspection import inspect_recurrence
from unrolled.diagnostics.specimen import specimen
from unrolled.errors import ShapeError
from unrolled.models import Captioner, CaptionOutput, ShowAndTell
from unrolled.models.captioner import cross_entropy
from unrolled.recurrence import Recurrence
from unrolled.registry import lookup, names
from unrolled.state import detach, map_leaves

ALL = [*PICTURES, *FILMS]


def test_these_are_all_of_them() -> None:
    assert sorted(n for n in names() if issubclass(lookup(n), Captioner)) == sorted(ALL)
    assert [n for n in ALL if lookup(n).films] == FILMS


@pytest.mark.parametrize("name", ALL)
def test_features_of_another_length_are_refused(name: str) -> None:
    with pytest.raises(ShapeError, match=r"features of shape \[N, L, C=7\], got \[2, 6, 5\]"):
        build(name).remember(torch.zeros(2, 6, 5, dtype=torch.float64))


# The image enters as often as declared.


def gradients_by_step(model: Captioner, features: Tensor, num_words: int) -> tuple[float, list]:
    """Return how much the features move the first state, and what is said of each word after it.

    Each word starts from a state that is cut off, so that only the word's own look counts.
    """
    bound = model.given(model.remember(features))
    state = bound.state_like(torch.zeros(len(features), dtype=torch.int64))
    first = sum(leaf.sum() for leaf in flat(state) if leaf.requires_grad)
    through_state = slope(first, features)
    by_word = []
    for word in range(num_words):
        y, state = bound.step(torch.full((len(features),), word + 1), detach(state))
        by_word.append(slope(y.logits.square().sum(), features))
    return through_state, by_word


def flat(state: object) -> list[Tensor]:
    found: list[Tensor] = []
    map_leaves(lambda leaf: (found.append(leaf), leaf)[1], state)  # type: ignore[type-var]
    return found


def slope(value: Tensor | int, features: Tensor) -> float:
    if not isinstance(value, Tensor) or not value.requires_grad:
        return 0.0
    (gradient,) = torch.autograd.grad(value, features, retain_graph=True, allow_unused=True)
    return 0.0 if gradient is None else gradient.abs().max().item()


def enters(model: Captioner) -> str:
    with_start, by_word = gradients_by_step(model, some_features().requires_grad_(), 4)
    seen = [number > 0 for number in (with_start, *by_word)]
    if sum(seen) == 1 and any(seen[:2]):
        return "once"
    return "always" if all(seen[1:]) else f"at {seen}"


@pytest.mark.parametrize("name", ALL)
def test_the_picture_enters_as_often_as_declared(name: str) -> None:
    model = build(name)
    assert enters(model) == model.feed_image


def test_neural_talk_can_be_fed_always() -> None:
    model = build("neural_talk", feed_image="always", nonlinearity="tanh")
    assert model.feed_image == "always"
    assert enters(model) == "always"


def test_a_picture_that_enters_too_often_is_noticed() -> None:
    class Peeking(ShowAndTell):
        def step(self, x_t: Tensor, state: LSTMState) -> tuple[CaptionOutput, LSTMState]:
            h, state = self.cell.step(self.embedding(x_t) + self.context.image, state)
            return CaptionOutput(self.output(h)), state

    model = Peeking(11, 7, embedding_size=3, hidden_size=5).double()
    assert model.feed_image == "once"
    assert enters(model) == "always"


# The loss.


def said(name: str) -> tuple[Captioner, object, Tensor, Tensor]:
    model, words = build(name), some_words(4, 5)
    y, _ = model.given(model.remember(some_features()))(words)
    valid = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 0]])
    return model, y, words.roll(-1, 1), valid.bool()


@pytest.mark.parametrize("name", ALL)
def test_the_loss_counts_valid_words_alone(name: str) -> None:
    model, y, targets, valid = said(name)
    objective = model.objective(y, targets, valid)
    by_hand = [
        -y.logits[row, t].log_softmax(-1)[targets[row, t]] for row, t in valid.nonzero().tolist()
    ]
    assert (objective.terms["nats_per_word"] - sum(by_hand) / len(by_hand)).abs() <= 1e-12
    assert not any(term.requires_grad for term in objective.terms.values())
    spoiled = targets.masked_fill(~valid, 4)
    assert torch.equal(model.objective(y, spoiled, valid).loss, objective.loss)
    objective.loss.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("name", ALL)
def test_every_parameter_learns(name: str) -> None:
    model, words = build(name).train(), some_words(4, 5)
    y, _ = model.given(model.remember(some_features()))(words)
    model.objective(y, words.roll(-1, 1), torch.ones(4, 5, dtype=torch.bool)).loss.backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_soft_attention_pays_for_places_that_it_leaves_out() -> None:
    model, y, targets, valid = said("show_attend_tell")
    objective = model.objective(y, targets, valid)
    by_hand = 0.0
    for row in range(4):
        for place in range(6):
            seen = sum(y.weights[row, t, place] for t in range(5) if valid[row, t])
            by_hand += (1 - seen) ** 2
    expected = cross_entropy(y.logits, targets, valid) + by_hand / valid.sum()
    assert (objective.loss - expected).abs() <= 1e-12
    free = build("show_attend_tell", doubly_stochastic=0.0).objective(y, targets, valid)
    assert free.loss == objective.terms["nats_per_word"]


def test_minds_eye_pays_for_what_it_does_not_imagine() -> None:
    model, y, targets, valid = said("minds_eye")
    v = some_features().mean(1).repeat_interleave(2, dim=0)
    errors = [
        (y.reconstruction[row, t] - v[row]).square().mean() for row, t in valid.nonzero().tolist()
    ]
    loss = model.objective(y, targets, valid).loss
    expected = cross_entropy(y.logits, targets, valid) + sum(errors) / len(errors)
    assert (loss - expected).abs() <= 1e-12


# Attention.


@pytest.mark.parametrize("name", ATTENDING)
@pytest.mark.parametrize("training", [False, True])
def test_weights_sum_to_one(name: str, training: bool) -> None:
    model = build(name).train(training)
    y, _ = model.given(model.remember(some_features()))(some_words(6, 5))
    assert (y.weights.sum(-1) - 1).abs().max() <= 1e-12
    assert (y.weights >= 0).all()


@pytest.mark.parametrize("name", ["show_attend_tell", "temporal_attention"])
def test_uniform_attention_is_mean_pooling(name: str) -> None:
    model, features, words = build(name), some_features(), some_words(2, 5)
    torch.nn.init.zeros_(model.score.weight)
    uniform, _ = model.given(model.remember(features))(words)
    pooled, _ = model.given(model.remember(features.mean(1, keepdim=True)))(words)
    assert (uniform.weights - 1 / 6).abs().max() <= 1e-12
    assert (uniform.logits - pooled.logits).abs().max() <= 1e-12
    looking = build(name)
    elsewhere, _ = looking.given(looking.remember(features))(words)
    assert (elsewhere.logits - pooled.logits).abs().max() > 1e-3


@pytest.mark.parametrize("name", FILMS)
def test_of_identical_frames_one_is_enough_where_order_is_not_read(name: str) -> None:
    model, words = build(name), some_words(2, 5)
    frame = some_features(num_places=1)
    still, _ = model.given(model.remember(frame.expand(-1, 6, -1)))(words)
    single, _ = model.given(model.remember(frame))(words)
    difference = (still.logits - single.logits).abs().max()
    assert difference > 1e-3 if name == "s2vt" else difference <= 1e-12


@pytest.mark.parametrize("name", FILMS)
def test_only_s2vt_reads_the_order_of_frames(name: str) -> None:
    model, words, film = build(name), some_words(2, 5), some_features()
    forwards, _ = model.given(model.remember(film))(words)
    backwards, _ = model.given(model.remember(film.flip(1)))(words)
    difference = (forwards.logits - backwards.logits).abs().max()
    assert difference > 1e-3 if name == "s2vt" else difference <= 1e-12


# Search.


def bound(name: str, num_pictures: int = 3) -> Recurrence:
    model = build(name)
    return model.given(model.remember(some_features(num_pictures)))


@pytest.mark.parametrize("name", ALL)
def test_what_a_search_says_a_run_over_it_says_too(name: str) -> None:
    model, prompt = bound(name), torch.tensor([[1], [1], [1]])
    found = beam_search(model, prompt, max_length=6, stop=0, beam_size=4)
    scores = torch.tensor(recomputed(model, prompt, found), dtype=torch.float64)
    assert (scores - found.log_probabilities).abs().max() <= 1e-12
    generator = torch.Generator().manual_seed(3)
    drawn = sample(model, prompt, max_length=6, stop=0, num_samples=2, generator=generator)
    scores = torch.tensor(recomputed(model, prompt, drawn), dtype=torch.float64)
    assert (scores - drawn.log_probabilities).abs().max() <= 1e-12


@pytest.mark.parametrize("name", ALL)
def test_pictures_are_searched_together_as_they_are_alone(name: str) -> None:
    model, prompt = bound(name), torch.tensor([[1], [1], [1]])
    for search, options in ((greedy, {}), (beam_search, {"beam_size": 3})):
        together = search(model, prompt, max_length=9, stop=[0, 2], **options)
        for row in range(3):
            alone = model.rows(torch.tensor([row]))
            single = search(alone, prompt[:1], max_length=9, stop=[0, 2], **options)
            assert_same(rows_of(together, row), single)


@pytest.mark.parametrize("name", ALL)
def test_a_wide_beam_finds_what_trying_everything_finds(name: str) -> None:
    model = build(name, 4)
    model = model.given(model.remember(some_features()))
    prompt = torch.ones(2, 1, dtype=torch.int64)
    best = exhaustive_search(model, prompt, max_length=3, stop=0, num_hypotheses=5)
    wide = beam_search(model, prompt, max_length=3, stop=0, beam_size=27)
    assert torch.equal(wide.tokens[:, :5], best.tokens[:, :, : wide.tokens.shape[2]])
    assert (wide.log_probabilities[:, :5] - best.log_probabilities).abs().max() <= 1e-12


# Sizes.


@pytest.mark.parametrize("name", ALL)
def test_each_can_be_inspected(name: str) -> None:
    looked_at = specimen(name, {"vocabulary_size": 11, "feature_size": 7})
    inspection = inspect_recurrence(looked_at.module, max_steps=4, max_seconds=0.1)
    counted = inspection.census
    assert counted.parameters == sum(p.numel() for p in looked_at.module.parameters())
    assert counted.macs > 0
    assert inspection.context_bytes > 0
