"""Beam search: held to exhaustive search, to greedy decoding and to tables worked out by hand."""

import pytest
import torch

from tests.decoding.models import Markov, assert_same, captioner, language_model, random_markov
from tests.decoding.test_exhaustive import count
from unrolled.decoding import beam_search, exhaustive_search, greedy
from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence

MODELS = {
    "lstm": lambda: language_model(4),
    "markov": lambda: random_markov(4),
    "attention": lambda: captioner(4, 3),
}
PROMPT = torch.tensor([[1, 3], [2, 2], [0, 1]])


@pytest.mark.parametrize("alpha", [0.0, 0.7, 3.0])
@pytest.mark.parametrize("stop", [None, 0, [3, 1]])
@pytest.mark.parametrize("name", MODELS)
def test_a_beam_as_large_as_the_space_is_exhaustive(name: str, stop, alpha: float) -> None:
    model, length = MODELS[name](), 4
    num_stops = 0 if stop is None else 1 if isinstance(stop, int) else len(stop)
    size = count(4, num_stops, length)
    options = {"max_length": length, "stop": stop, "length_penalty": alpha}
    assert_same(
        beam_search(model, PROMPT, beam_size=size, **options),
        exhaustive_search(model, PROMPT, num_hypotheses=size, **options),
    )


@pytest.mark.parametrize("min_length", [0, 3])
@pytest.mark.parametrize("stop", [None, 0, [3, 1]])
@pytest.mark.parametrize("name", MODELS)
def test_a_beam_of_one_is_greedy(name: str, stop, min_length: int) -> None:
    for _ in range(5):
        model = MODELS[name]()
        options = {"max_length": 6, "stop": stop, "min_length": min_length}
        assert_same(
            beam_search(model, PROMPT, beam_size=1, **options), greedy(model, PROMPT, **options)
        )


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_no_beam_is_better_than_exhaustive_search_and_the_full_one_no_worse_than_greedy(
    alpha: float,
) -> None:
    for _ in range(10):
        model = language_model(4)
        options = {"max_length": 4, "stop": 0}
        top = exhaustive_search(model, PROMPT, **options)
        assert (top.log_probabilities >= greedy(model, PROMPT, **options).log_probabilities).all()
        full = beam_search(model, PROMPT, beam_size=count(4, 1, 4), **options)
        assert torch.allclose(full.log_probabilities[:, :1], top.log_probabilities)
        best = exhaustive_search(model, PROMPT, length_penalty=alpha, **options)
        for beam_size in (1, 2, 5):
            found = beam_search(model, PROMPT, beam_size=beam_size, length_penalty=alpha, **options)
            bound = best.log_probabilities / ((5 + best.lengths) / 6) ** alpha
            scores = found.log_probabilities / ((5 + found.lengths) / 6) ** alpha
            assert (scores <= bound + 1e-12).all()
            assert (scores.diff(dim=1) <= 0).all()


# A sentence search by hand. The likeliest first word opens no likely sentence.
WORDS = ["<E>", "a", "the", "cat", "dog", "sat", "ran", "barked"]
FOLLOWING = {
    "<E>": {"a": 0.55, "the": 0.45},  # stands for the start as well
    "a": {"cat": 0.5, "dog": 0.5},
    "the": {"cat": 0.9, "dog": 0.1},
    "cat": {"sat": 0.8, "ran": 0.2},
    "dog": {"barked": 0.6, "ran": 0.4},
    "sat": {"<E>": 1.0},
    "ran": {"<E>": 1.0},
    "barked": {"<E>": 1.0},
}


def sentences() -> Markov:
    return Markov([[FOLLOWING[a].get(b, 0.0) for b in WORDS] for a in WORDS])


def test_a_beam_of_two_finds_the_sentence_that_greedy_decoding_misses() -> None:
    start, options = torch.tensor([[0]]), {"max_length": 6, "stop": 0}
    taken = greedy(sentences(), start, **options)
    assert [WORDS[w] for w in taken.tokens[0, 0]] == ["a", "cat", "sat", "<E>"]
    assert taken.log_probabilities.exp().item() == pytest.approx(0.55 * 0.5 * 0.8)
    found = beam_search(sentences(), start, beam_size=2, **options)
    assert [WORDS[w] for w in found.tokens[0, 0]] == ["the", "cat", "sat", "<E>"]
    assert found.log_probabilities.exp()[0].tolist() == pytest.approx([0.45 * 0.9 * 0.8, 0.22])
    every = exhaustive_search(sentences(), start, num_hypotheses=11, max_length=4, stop=0)
    # 2 articles, 2 animals, 2 verbs each; the other three of the 11 are impossible
    assert (every.lengths[0] > 0).sum() == 8
    assert every.log_probabilities.exp().sum().item() == pytest.approx(1.0)
    assert torch.equal(every.tokens[0, :2], found.tokens[0])


def test_a_finished_hypothesis_is_kept_when_better_ones_pass_and_fall_behind() -> None:
    # 0 goes on, 1 goes on, 2 stops. Stopping at once has 0.3; 0 has 0.4 but then only halves.
    table = [[0.4, 0.3, 0.3], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
    found = beam_search(Markov(table), torch.tensor([[0]]), max_length=5, stop=2, beam_size=3)
    assert found.tokens[0, 0, 0] == 2
    assert found.finished[0, 0]
    assert found.log_probabilities[0, 0].exp().item() == pytest.approx(0.3)


class Counted(Recurrence):
    """The next token depends on how many came before: a row of a table for each."""

    def __init__(self, table: list[list[float]]) -> None:
        super().__init__()
        self.register_buffer("logits", torch.tensor(table, dtype=torch.float64).log())
        self.steps = 0

    def initial_state(self, batch_size):
        return torch.zeros(batch_size, dtype=torch.int64)

    def step(self, _x_t, state):
        self.steps += 1
        return self.logits[state], state + 1


def test_the_search_ends_when_no_unfinished_hypothesis_can_overtake() -> None:
    # Token 1 stops. After the first step "1" has 0.6, "0" has 0.4.
    model = Counted([[0.4, 0.6]] + [[0.99, 0.01]] * 30)
    found = beam_search(model, torch.tensor([[0]]), max_length=30, stop=1, beam_size=1)
    assert model.steps == 1
    assert found.finished.item()


def test_with_a_penalty_the_search_goes_on_while_length_may_still_win() -> None:
    # "1" scores log 0.6 = -0.51; log(0.4) = -0.92 is less, but over ((5 + 9) / 6) ** 1 = 2.33 it
    # can come to -0.39 in nine tokens, and does.
    table = [[0.4, 0.6]] + [[1.0, 0.0]] * 7 + [[0.0, 1.0]]
    prompt, options = torch.tensor([[0]]), {"stop": 1, "length_penalty": 1.0}
    long = beam_search(Counted(table), prompt, max_length=9, beam_size=2, **options)
    assert long.lengths.tolist() == [[9, 1]]
    assert long.finished.all()
    # In four tokens it could come to -0.92 / 1.5 = -0.61: nothing to wait for.
    model = Counted(table)
    short = beam_search(model, prompt, max_length=4, beam_size=1, **options)
    assert short.lengths.tolist() == [[1]]
    assert model.steps == 1


def test_with_a_penalty_a_longer_hypothesis_wins_a_beam_of_one_from_a_likelier() -> None:
    # 1 stops. "1" has 0.50, and "0 1" 0.45 * 0.98 = 0.44, but ln(0.44) / (7/6) ** 2 is larger.
    model = Markov([[0.01, 0.98, 0.01], [1.0, 0.0, 0.0], [0.45, 0.50, 0.05]])
    options = {"max_length": 2, "stop": 1, "beam_size": 1}
    for alpha, expected in ((0.0, [[1]]), (2.0, [[0, 1]])):
        found = beam_search(model, torch.tensor([[2]]), length_penalty=alpha, **options)
        assert found.tokens[0].tolist() == expected


@pytest.mark.parametrize("others", [1, 9])  # the settled one leaves the batch, or stays in it
def test_what_a_prompt_says_once_it_is_settled_is_nobodys_concern(others: int) -> None:
    # 2 stops, 3 leads nowhere. After 0 it is settled at once; after 1 nothing is.
    nowhere = [float("nan")] * 4
    table = [[0.0, 0.0, 0.9, 0.1], [0.0, 0.9, 0.1, 0.0], [0.0, 0.0, 1.0, 0.0], nowhere]
    prompts = torch.tensor([[0]] + [[1]] * others)
    found = beam_search(Markov(table), prompts, max_length=4, stop=2, beam_size=1)
    assert found.tokens[:, 0].tolist() == [[2, 2, 2, 2]] + [[1, 1, 1, 1]] * others


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0, 2.5])
def test_ending_early_never_changes_the_result(alpha: float, monkeypatch) -> None:
    for _ in range(20):
        model = language_model(5)
        options = {"max_length": 7, "stop": [0, 1], "beam_size": 3, "length_penalty": alpha}
        early = beam_search(model, PROMPT, **options)
        with monkeypatch.context() as patch:
            patch.setattr("unrolled.decoding.beam._settled", lambda *_: torch.zeros(3).bool())
            whole = beam_search(model, PROMPT, **options)
        assert_same(early, whole)


def test_equal_hypotheses_come_in_order_of_tokens() -> None:
    half = Markov([[0.5, 0.5], [0.5, 0.5]])
    found = beam_search(half, torch.tensor([[0]]), max_length=3, beam_size=5)
    expected = [[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1], [1, 0, 0]]
    assert found.tokens.tolist() == [expected]
    # 1/4 * 3/4 and 3/4 * 1/4: the worse beginning comes first in order of tokens.
    model = Counted([[0.25, 0.75], [0.75, 0.25]])
    found = beam_search(model, torch.tensor([[0]]), max_length=2, beam_size=4)
    assert found.tokens[0].tolist() == [[1, 0], [0, 0], [1, 1], [0, 1]]
    assert found.log_probabilities[0, 1] == found.log_probabilities[0, 2]
    narrow = beam_search(model, torch.tensor([[0]]), max_length=2, beam_size=2)
    assert narrow.tokens[0].tolist() == [[1, 0], [0, 0]]


def test_an_unfinished_hypothesis_that_may_draw_level_is_waited_for() -> None:
    # 1 stops. "1" has 1/2, "0 1" has 1/4, and so has "0 0", which is sure to stop next.
    model = Counted([[0.5, 0.5], [0.5, 0.5], [0.0, 1.0]])
    found = beam_search(model, torch.tensor([[0]]), max_length=3, stop=1, beam_size=2)
    assert found.tokens[0].tolist() == [[1, 1, 1], [0, 0, 1]]
    assert found.lengths.tolist() == [[1, 3]]


def test_when_nothing_stops_the_best_unfinished_come_back() -> None:
    table = [[0.0, 0.7, 0.3], [0.0, 0.6, 0.4], [0.0, 0.2, 0.8]]  # 0 stops, and never comes
    found = beam_search(Markov(table), torch.tensor([[1]]), max_length=4, stop=0, beam_size=2)
    assert found.tokens[0].tolist() == [[2, 2, 2, 2], [1, 1, 1, 1]]
    assert found.finished.tolist() == [[False, False]]
    assert found.lengths.tolist() == [[4, 4]]


def test_fewer_hypotheses_than_the_beam_are_made_up_by_marked_ones() -> None:
    table = [[0.0, 0.7, 0.3, 0.0], [0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]]
    for search in (
        lambda **options: beam_search(Markov(table), torch.tensor([[0]]), beam_size=5, **options),
        lambda **options: exhaustive_search(
            Markov(table), torch.tensor([[0]]), num_hypotheses=5, **options
        ),
    ):
        found = search(max_length=3, stop=3)
        assert found.tokens[0].tolist() == [[1, 3], [2, 3], [3, 3], [3, 3], [3, 3]]
        assert found.lengths.tolist() == [[2, 2, 0, 0, 0]]
        assert found.finished.tolist() == [[True, True, False, False, False]]
        assert torch.isneginf(found.log_probabilities[0, 2:]).all()


def test_a_vocabulary_of_stop_tokens_alone() -> None:
    found = beam_search(Markov([[0.3, 0.7]] * 2), torch.tensor([[0]]), max_length=3, stop=[0, 1])
    assert found.tokens[0].tolist() == [[1], [0], [0], [0], [0]]
    assert found.lengths.tolist() == [[1, 1, 0, 0, 0]]


def test_impossible_wishes_are_refused() -> None:
    model, prompt = random_markov(3), torch.tensor([[0]])
    with pytest.raises(ConfigError, match="beam_size of at least 1"):
        beam_search(model, prompt, max_length=3, beam_size=0)
    for penalty in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="length_penalty of at least 0"):
            beam_search(model, prompt, max_length=3, length_penalty=penalty)
