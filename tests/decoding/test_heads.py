"""A search that takes the model's last layer off finds what the whole model says."""

import copy

import pytest
import torch
from torch import Tensor, nn

from tests.kernels.machines import needs_library
from unrolled.decoding import beam_search, heads
from unrolled.decoding.heads import Head, Speaker, Unspoken
from unrolled.errors import NumericsError
from unrolled.models import RecurrentLanguageModel, ShowAttendTell
from unrolled.state import leaves, map_leaves

TOKENS = torch.tensor([[3, 1], [4, 1], [2, 7]])


def language_model() -> RecurrentLanguageModel:
    model = RecurrentLanguageModel(97, embedding_size=5, hidden_size=13, num_layers=2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    return model.eval()


def captioner() -> ShowAttendTell:
    model = ShowAttendTell(97, 7, embedding_size=5, hidden_size=13, attention_size=3).eval()
    with torch.no_grad():
        return model.given(model.remember(torch.randn(3, 11, 7)))


MODELS = {"Serial": language_model, "ShowAttendTell": captioner}
every_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


@needs_library
@every_model
@torch.no_grad()
def test_features_and_head_make_the_models_logits(make) -> None:
    model = make()
    speaker = Speaker.of(model)
    state = model.initial_state(3)
    expected, after = model.step(TOKENS[:, 0], state)
    said, own = speaker.step(TOKENS[:, 0], state)
    assert isinstance(said, Unspoken)
    logits = getattr(expected, "logits", expected)
    assert said.shape == logits.shape
    assert torch.allclose(said.head.logits(said.features), logits, rtol=1e-5, atol=1e-6)
    again, _ = speaker.step(TOKENS[:, 1], own)
    expected, _ = model.step(TOKENS[:, 1], after)
    logits = getattr(expected, "logits", expected)
    assert torch.allclose(again.head.logits(again.features), logits, rtol=1e-5, atol=1e-6)


@needs_library
@every_model
@pytest.mark.parametrize("min_length", [0, 6])
def test_the_search_finds_what_it_finds_in_float64(make, min_length: int) -> None:
    model = make()
    options = {"max_length": 9, "stop": [0, 5, 8], "beam_size": 4, "min_length": min_length}
    found = beam_search(model, TOKENS, **options)
    exact = copy.deepcopy(model).double()
    if isinstance(model, ShowAttendTell):
        exact = exact.given(type(model.context)(*(leaf.double() for leaf in model.context)))
    expected = beam_search(exact, TOKENS, **options)
    assert torch.equal(found.tokens, expected.tokens)
    assert torch.equal(found.finished, expected.finished)
    assert torch.allclose(
        found.log_probabilities.double(), expected.log_probabilities, rtol=1e-5, atol=1e-5
    )


class Cooled(RecurrentLanguageModel):
    def step(self, x_t, state):
        y_t, state = super().step(x_t, state)
        return y_t / 7, state

    step_ = step


class Glanced(ShowAttendTell):
    def step(self, x_t, state):
        y_t, state = super().step(x_t, state)
        return y_t._replace(logits=y_t.logits / 7), state


def hooked(model: ShowAttendTell) -> ShowAttendTell:
    model.output.register_forward_hook(lambda _m, _x, y: y / 7)
    return model


@needs_library
def test_a_layer_whose_output_is_not_the_last_word_stays() -> None:
    sizes = {"embedding_size": 5, "hidden_size": 13}
    assert Speaker.of(RecurrentLanguageModel(11, **sizes)).head is not None
    assert Speaker.of(Cooled(11, **sizes)).head is None
    sizes |= {"attention_size": 3}
    assert Speaker.of(ShowAttendTell(11, 7, **sizes)).head is not None
    assert Speaker.of(Glanced(11, 7, **sizes)).head is None
    assert Speaker.of(hooked(ShowAttendTell(11, 7, **sizes))).head is None
    assert Speaker.of(ShowAttendTell(11, 7, **sizes).double()).head is None
    other = ShowAttendTell(11, 7, **sizes)
    other.output = nn.Sequential(other.output)
    assert Speaker.of(other).head is None
    other = ShowAttendTell(11, 7, **sizes)
    other.step = other.step
    assert Speaker.of(other).head is None


@needs_library
def test_a_broken_head_is_named() -> None:
    model = language_model()
    options = {"max_length": 5, "beam_size": 3, "stop": 0}
    logits = Head(list(model.children())[-1]).logits(torch.zeros(1, 13))
    assert logits.shape == (1, 97)
    with torch.no_grad():
        next(iter(model.children())).weight[:] = torch.inf
        next(iter(model.children())).weight[TOKENS.flatten()] = 0
    with pytest.raises(NumericsError, match=r"row \d at step 1.*got NaN"):
        beam_search(model, TOKENS, **options)


@needs_library
def test_a_search_leaves_the_model_and_its_weights_alone() -> None:
    model = language_model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modules = list(model.modules())
    first = beam_search(model, TOKENS, max_length=5, beam_size=3)
    with torch.no_grad():  # what one search packs, the next does not use
        list(model.children())[-1].weight.mul_(-1)
    second = beam_search(model, TOKENS, max_length=5, beam_size=3)
    assert not torch.equal(first.tokens, second.tokens)
    with torch.no_grad():
        list(model.children())[-1].weight.mul_(-1)
    assert list(model.modules()) == modules
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@needs_library
@every_model
@pytest.mark.parametrize("length", [1, 2, 9])
@torch.no_grad()
def test_a_prompt_is_read_without_its_logits(make, length: int, monkeypatch) -> None:
    monkeypatch.setattr(heads, "CHUNK", 3)
    model, prompt = make(), torch.randint(97, (3, length))
    speaker, calls = Speaker.of(model), []
    expected, after = model(prompt)
    assert speaker.head is not None
    speaker.head.layer.register_forward_hook(lambda *_: calls.append(1))
    begun = model.state_like(prompt[:, 0])
    kept = map_leaves(Tensor.clone, begun)
    said, state = speaker.read(prompt, begun)
    assert isinstance(said, Unspoken)
    assert not calls
    logits = getattr(expected, "logits", expected)[:, -1]
    assert torch.allclose(said.head.logits(said.features), logits, rtol=1e-4, atol=1e-5)
    for leaf, wanted in zip(leaves(state), leaves(after), strict=True):
        assert torch.allclose(leaf, wanted, atol=1e-5)
    assert all(map(torch.equal, leaves(begun), leaves(kept)))  # the caller's
