"""What all decoders share: prompts and states, stop tokens, batches, and numbers at the edge."""

import pytest
import torch
from torch import Tensor

from tests.decoding.models import (
    Markov,
    assert_same,
    captioner,
    language_model,
    random_markov,
    recomputed,
    rows_of,
)
from unrolled.decoding import beam_search, driving, exhaustive_search, greedy, sample
from unrolled.errors import ConfigError, NumericsError, ShapeError, StateError
from unrolled.layers import CausalConv1d
from unrolled.recurrence import Recurrence


def seeded(model, prompt, **options):
    generator = torch.Generator().manual_seed(3)
    return sample(model, prompt, num_samples=4, generator=generator, **options)


DECODERS = {
    "greedy": greedy,
    "sample": seeded,
    "beam": lambda *args, **options: beam_search(*args, beam_size=4, **options),
    "exhaustive": lambda *args, **options: exhaustive_search(*args, num_hypotheses=4, **options),
}
SEARCHES = ["greedy", "beam", "exhaustive"]
MODELS = {
    "lstm": lambda: language_model(5),
    "markov": lambda: random_markov(5),
    "attention": lambda: captioner(5, 3),
}
PROMPT = torch.tensor([[1, 3], [2, 2], [4, 1]])
every_decoder = pytest.mark.parametrize("decoder", DECODERS)
every_model = pytest.mark.parametrize("name", MODELS)


@every_model
@every_decoder
@pytest.mark.parametrize("stop", [None, 0, {4, 2}])
def test_a_log_probability_is_what_one_run_over_the_text_gives(decoder, name, stop) -> None:
    model = MODELS[name]()
    found = DECODERS[decoder](model, PROMPT, max_length=5, stop=stop)
    expected = torch.tensor(recomputed(model, PROMPT, found), dtype=torch.float64)
    assert found.log_probabilities.dtype == torch.float64
    assert torch.allclose(found.log_probabilities, expected, rtol=1e-12, atol=1e-12)


@every_model
@every_decoder
@pytest.mark.parametrize("stop", [0, {4, 2}])
@pytest.mark.parametrize("min_length", [0, 1, 3, 5])
def test_stop_tokens_end_and_min_length_delays_them(decoder, name, stop, min_length) -> None:
    found = DECODERS[decoder](
        MODELS[name](), PROMPT, max_length=5, stop=stop, min_length=min_length
    )
    stops = {stop} if isinstance(stop, int) else stop
    assert found.tokens.shape[2] == found.lengths.max() <= 5
    for tokens, length, finished in zip(
        found.tokens.flatten(0, 1).tolist(),
        found.lengths.flatten().tolist(),
        found.finished.flatten().tolist(),
        strict=True,
    ):
        assert not stops & set(tokens[: length - 1])
        assert finished == (tokens[length - 1] in stops)
        assert set(tokens[length:]) <= {min(stops)}
        assert length >= min_length if finished else length == 5


@every_decoder
@pytest.mark.parametrize("min_length", [0, 1, 3, 5])
def test_a_likely_stop_token_comes_as_soon_as_it_may(decoder, min_length: int) -> None:
    model = Markov([[1e-9, 1e-9, 1 - 3e-9, 1e-9]] * 4)
    found = DECODERS[decoder](model, PROMPT[:1], max_length=6, stop=[2, 3], min_length=min_length)
    assert found.lengths[0, 0] == max(1, min_length)
    assert found.tokens[0, 0, -1] == 2
    assert found.finished[0, 0]


@every_model
@pytest.mark.parametrize("decoder", SEARCHES)
def test_rows_do_not_know_of_each_other(decoder, name) -> None:
    model, options = MODELS[name](), {"max_length": 5, "stop": 0}
    together = DECODERS[decoder](model, PROMPT, **options)
    for row in range(3):
        alone = model.rows(torch.tensor([row]))
        assert_same(
            rows_of(together, row), DECODERS[decoder](alone, PROMPT[row : row + 1], **options)
        )


@pytest.mark.parametrize("decoder", SEARCHES)
def test_several_prompts_share_a_row_of_the_context(decoder) -> None:
    model, options = captioner(5, 2), {"max_length": 4, "stop": 0}
    prompts = torch.tensor([[1], [2], [3], [3], [2], [1]])
    together = DECODERS[decoder](model, prompts, **options)
    for row in range(6):
        alone = model.rows(torch.tensor([row // 3]))
        assert_same(
            rows_of(together, row), DECODERS[decoder](alone, prompts[row : row + 1], **options)
        )


@every_decoder
def test_the_context_is_never_tiled(decoder, monkeypatch) -> None:
    model, seen = captioner(5, 3), set()
    scores = type(model).scores

    def watched(self, h):
        seen.add((len(self.context.features), self.context.features.data_ptr()))
        return scores(self, h)

    monkeypatch.setattr(type(model), "scores", watched)
    DECODERS[decoder](model, PROMPT, max_length=4)
    assert seen == {(3, model.context.features.data_ptr())}


@every_model
@every_decoder
@pytest.mark.parametrize("cut", [1, 3, 6])
def test_a_prompt_in_two_parts_with_the_state_carried(decoder, name, cut: int) -> None:
    model, prompt = MODELS[name](), torch.randint(5, (3, 7))
    _, state = model(prompt[:, :cut])
    before = [leaf.clone() for leaf in _leaves(state)]
    options = {"max_length": 5, "stop": 0}
    assert_same(
        DECODERS[decoder](model, prompt[:, cut:], state=state, **options),
        DECODERS[decoder](model, prompt, **options),
    )
    assert all(map(torch.equal, before, _leaves(state)))


def _leaves(state) -> list[Tensor]:
    return (
        [state] if isinstance(state, Tensor) else [leaf for part in state for leaf in _leaves(part)]
    )


@every_decoder
def test_a_long_prompt_is_read_in_chunks(decoder, monkeypatch) -> None:
    model, prompt = language_model(5), torch.randint(5, (2, 101))
    whole = DECODERS[decoder](model, prompt, max_length=4)
    monkeypatch.setattr(driving, "CHUNK", 7)
    assert_same(whole, DECODERS[decoder](model, prompt, max_length=4))


class Scripted(Recurrence):
    """After ``when`` tokens row 1 says ``logits``; everything else is uniform."""

    def __init__(self, logits: list[float], when: int) -> None:
        super().__init__()
        self.register_buffer("logits", torch.tensor(logits))
        self.when = when

    def initial_state(self, batch_size):
        rows = torch.arange(batch_size)
        return torch.stack([rows, torch.zeros_like(rows)], dim=1)

    def step(self, x_t, state):
        row, count = state.T
        wrong = (row == 1) & (count == self.when)
        logits = torch.where(wrong[:, None], self.logits, torch.zeros(len(x_t), 4))
        return logits, state + torch.tensor([0, 1])


@every_decoder
@pytest.mark.parametrize("when", [0, 2])
@pytest.mark.parametrize(
    ("logits", "got"),
    [
        ([-torch.inf] * 4, "got all -inf; leave some token possible"),
        ([0.0, 1.0, 2.0, torch.nan], "got NaN"),
        ([0.0, torch.inf, 2.0, 3.0], r"got \+inf"),
    ],
)
def test_a_row_without_a_distribution_is_named(decoder, when: int, logits, got: str) -> None:
    prompt = torch.zeros(3, 1, dtype=torch.int64)
    with pytest.raises(NumericsError, match=f"in row 1 at step {when}, {got}"):
        DECODERS[decoder](Scripted(logits, when), prompt, max_length=4)


@every_decoder
def test_what_a_model_says_after_the_end_is_nobodys_concern(decoder) -> None:
    table = torch.tensor([[0.0, 1.0, 0.5], [0.0, 0.0, 3.0], [torch.nan, torch.nan, torch.nan]])
    options = {"max_length": 4, "stop": 2}
    found = DECODERS[decoder](Markov(table, of_logits=True), torch.tensor([[0], [1]]), **options)
    assert found.log_probabilities.isfinite().all()
    assert found.lengths.min() > 0


@every_decoder
def test_what_is_impossible_is_never_returned(decoder) -> None:
    # 3 is impossible, and after it the model has nothing to say.
    table = torch.randn(4, 4)
    table[:, 3] = table[3] = -torch.inf
    found = DECODERS[decoder](Markov(table, of_logits=True), torch.tensor([[0], [1]]), max_length=5)
    assert not (found.tokens == 3).any()
    assert found.log_probabilities.isfinite().all()


@every_decoder
def test_a_row_that_must_stop_too_early_has_no_hypothesis(decoder) -> None:
    must_stop = Markov([[0.0, 0.0, 1.0], [0.5, 0.4, 0.1], [0.0, 0.0, 1.0]])
    prompt, options = torch.tensor([[0], [1]]), {"max_length": 3, "stop": 2, "min_length": 2}
    found = DECODERS[decoder](must_stop, prompt, **options)
    assert found.lengths[0].unique().tolist() == [0]
    assert torch.isneginf(found.log_probabilities[0]).all()
    assert not found.finished[0].any()
    assert (found.tokens[0] == 2).all()
    if decoder != "sample":  # which may walk into the same dead end
        assert found.lengths[1, 0] > 0


@every_decoder
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_large_logits_stay_exact(decoder, dtype) -> None:
    table = (1e4 * torch.tensor([[1.0, -1.0, 1.0], [-1.0, 1.0, 1.0], [1.0, 1.0, -1.0]])).to(dtype)
    table = table + torch.randn(3, 3).to(dtype)
    model = Markov(table, of_logits=True).to(dtype)
    found = DECODERS[decoder](model, torch.tensor([[0], [2]]), max_length=6)
    exact = Markov(table.double(), of_logits=True)
    expected = torch.tensor(recomputed(exact, torch.tensor([[0], [2]]), found))
    assert found.log_probabilities.isfinite().all()
    assert torch.allclose(found.log_probabilities.float(), expected, rtol=1e-5, atol=1e-6)


@every_decoder
def test_bfloat16_logits_are_summed_in_float32(decoder) -> None:
    model = language_model(5).to(torch.bfloat16)
    found = DECODERS[decoder](model, PROMPT, max_length=5, stop=0)
    assert found.log_probabilities.dtype == torch.float32


@every_decoder
def test_impossible_wishes_are_refused(decoder) -> None:
    decode, model, prompt = DECODERS[decoder], random_markov(3), torch.tensor([[0]])
    with pytest.raises(ConfigError, match="max_length of at least 1"):
        decode(model, prompt, max_length=0)
    with pytest.raises(ConfigError, match="min_length between 0 and max_length = 3, got 4"):
        decode(model, prompt, max_length=3, min_length=4)
    for stop in (3, -1, [0, 7]):
        with pytest.raises(ConfigError, match="stop tokens between 0 and V-1 = 2"):
            decode(model, prompt, max_length=3, stop=stop)
    with pytest.raises(ShapeError, match=r"prompt of shape \[B, P\]"):
        decode(model, torch.tensor([0]), max_length=3)
    with pytest.raises(ShapeError, match="T, the steps of x"):
        decode(model, torch.zeros(1, 0, dtype=torch.int64), max_length=3)
    with pytest.raises(ConfigError, match="stride 1 to decode with, got stride 2"):
        decode(CausalConv1d(3, 3, kernel_size=2, stride=2), torch.zeros(1, 2), max_length=3)


@every_decoder
@pytest.mark.parametrize("length", [1, 3])
@pytest.mark.parametrize("rows", [1, 3])
def test_a_state_of_other_rows_is_refused(decoder, length: int, rows: int) -> None:
    model, prompt = language_model(5), torch.ones(2, length, dtype=torch.int64)
    with pytest.raises(StateError, match="a state of 2 rows, as x has"):
        DECODERS[decoder](model, prompt, max_length=3, state=model.initial_state(rows))


@every_decoder
def test_a_model_without_logits_is_named(decoder) -> None:
    class Pair(Recurrence):
        def scan(self, x, state):
            return (x, x), state

    # Beam search sees one step where the others see the prompt.
    asked, given = (r"\[B, V\]", r"\[1\]") if decoder == "beam" else (r"\[B, T, V\]", r"\[1, 2\]")
    with pytest.raises(ShapeError, match=f"to be logits {asked}.*got 0 {given}, 1 {given}"):
        DECODERS[decoder](Pair(), torch.tensor([[0, 1]]), max_length=3)


@pytest.mark.parametrize("size", [7, 3001])
@pytest.mark.parametrize("min_length", [0, 5])
def test_the_likeliest_are_those_of_all_log_probabilities(size: int, min_length: int) -> None:
    logits = 9 * torch.randn(40, size, dtype=torch.float64)
    logits[3] = torch.nan  # of a row that is not alive
    logits[4, :-5] = -torch.inf
    alive = torch.ones(8, 5, dtype=torch.bool)
    alive[0, 3] = False
    ending = driving.Ending.of([0, 2], logits.device, min_length=min_length, max_length=9)
    every = driving.next_log_probabilities(logits, alive, ending, position=2)
    found, tokens = driving.likeliest(logits, alive, ending, position=2, k=6)
    expected, columns = every.sort(dim=1, descending=True, stable=True)
    assert torch.allclose(found, expected[:, :6], rtol=1e-12, atol=1e-12)
    assert torch.equal(tokens[4:], columns[4:, :6])
